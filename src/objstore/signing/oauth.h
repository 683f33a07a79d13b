// Tokens of OAuth 2.0: asked for, kept, and put on requests.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/context.h"
#include "net/http/client.h"
#include "objstore/rest/rest_client.h"
#include "objstore/rest/session.h"
#include "objstore/retry.h"

namespace aevum::objstore {

// Puts "Authorization: Bearer …" on requests.
class BearerSigner final : public RequestSigner {
 public:
  explicit BearerSigner(std::unique_ptr<KeptSession> session) : session_(std::move(session)) {}
  Status Sign(const Context& context, RestRequest& request) override;
  bool Forget() override;

 private:
  const std::unique_ptr<KeptSession> session_;
};

// The body of a form: "a=b&c=d", encoded.
std::string FormBody(const Fields& fields);

// How often the metadata service of a machine is asked: it is one hop away, or not there at all.
inline constexpr RetryPolicy kMetadataRetry{.max_attempts = 3};
// A client for what is near, and hence asked directly, whatever proxy leads to the store.
net::HttpClientOptions LocalHttpOptions();

// Sends a request that should be answered with status 200; transient failures are tried again. The
// result is the body. Unauthenticated when the service refuses who asks; `issuer` is what errors
// name. Errors repeat neither the request nor a token.
StatusOr<std::string> AskIssuer(const Context& context, net::HttpClient& http,
                                const net::HttpClientRequest& request, std::string_view issuer,
                                const RetryPolicy& retry = {});

// The token out of {"access_token": …, "expires_in": seconds} or, in place of the latter,
// "expires_on": seconds since 1970. Internal for what is none.
StatusOr<Session> ReadOAuthToken(std::string_view json, TimestampMs now);

}  // namespace aevum::objstore
