// Logging in to OpenStack: the identity service in its versions 1, 2 and 3.
#pragma once

#include <memory>
#include <string>

#include "net/http/client.h"
#include "objstore/rest/session.h"

namespace aevum::objstore {

struct SwiftLogin {
  int version = 0;  // 0: as the URL says
  std::string url;
  std::string username;
  std::string user_id;
  std::string password;
  std::string user_domain_name;
  std::string user_domain_id;
  std::string domain_id;
  std::string domain_name;
  std::string application_credential_id;
  std::string application_credential_name;
  std::string application_credential_secret;
  std::string project_id;
  std::string project_name;
  std::string project_domain_id;
  std::string project_domain_name;
  std::string region;
};

// 1, 2 or 3: given, or the last part of the URL ("…/v3"), else 1.
int VersionOfLogin(const SwiftLogin& login);

// The body of a login of version 2 or 3.
std::string SwiftLoginBody(const SwiftLogin& login);
// The session out of an answer to such a login: the public endpoint of the object store in the
// region. `token` is the one of the header, "" for version 2.
StatusOr<Session> ReadSwiftCatalog(std::string_view json, std::string_view region,
                                   std::string_view token);

// Logs in. Unauthenticated when the service refuses.
StatusOr<Session> LogIn(const Context& context, net::HttpClient& http, const SwiftLogin& login);

}  // namespace aevum::objstore
