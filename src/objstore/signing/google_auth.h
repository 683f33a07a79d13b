// What proves to Google who asks: tokens for the key of an account, for a user, for the identity
// that another issuer confirms, or of the machine.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/environment.h"
#include "base/status.h"
#include "net/http/client.h"
#include "objstore/rest/session.h"

namespace aevum::objstore {

// The key of a service account, as its file in JSON has it.
struct GoogleServiceAccount {
  std::string email;
  std::string key_id;
  std::string private_key;  // PEM
  std::string token_url;
};

// The signed statement of an account that it asks for a token of the scope, good for an hour from
// `now` (RFC 7523). InvalidArgument when the key can't sign; the error does not repeat it.
StatusOr<std::string> GoogleAssertion(const GoogleServiceAccount& account, std::string_view scope,
                                      TimestampMs now);

struct GoogleAuthOptions {
  std::string credentials;  // JSON; "": the application default credentials
  Environment variables;
  net::HttpClientOptions http;
};

// Asks for tokens for object storage with credentials of one of these types: "service_account",
// "authorized_user", "external_account" whose subject token is in a file or at a URL, and
// "impersonated_service_account".
//
// The application default credentials are, in this order: the file that
// GOOGLE_APPLICATION_CREDENTIALS names; the file of `gcloud auth application-default login`
// ($CLOUDSDK_CONFIG or ~/.config/gcloud); the metadata service of the machine, at GCE_METADATA_HOST
// or 169.254.169.254. Files and variables are read again each time.
//
// InvalidArgument for given credentials that are not of this form; such files are errors when
// asked.
StatusOr<KeptSession::Ask> AskForGoogleToken(GoogleAuthOptions options, const Clock& clock);

}  // namespace aevum::objstore
