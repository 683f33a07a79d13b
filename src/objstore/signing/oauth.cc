#include "objstore/signing/oauth.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "net/url.h"
#include "objstore/rest/answers.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;
// Longer than any issuer lets a token live.
constexpr std::int64_t kMaxLifetimeSeconds = 7 * 86'400;

StatusOr<std::int64_t> Seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return Internal("the answer with a token tells a time that is none: '{}'", OneLine(text));
  }
  return seconds;
}

// What the issuer says is wrong: {"error": …, "error_description": …}.
Status Refusal(const net::HttpClientResponse& response, std::string_view issuer) {
  StatusCode code = CodeOfHttpStatus(response.status);
  // A grant that does not hold is a bad request in OAuth.
  if (code == StatusCode::kInvalidArgument) code = StatusCode::kUnauthenticated;
  // Azure's metadata service answers so while it is being updated.
  if (response.status == 404 || response.status == 410) code = StatusCode::kUnavailable;
  std::string text = fmt::format("a token of {}: the answer is {}", issuer, response.status);
  for (const char* field : {"error", "error_description"}) {
    const StatusOr<std::string> value = ReadJsonField(response.body, field);
    if (value.ok() && !value->empty()) text += " " + OneLine(*value);
  }
  return MakeError(code, std::move(text));
}

}  // namespace

Status BearerSigner::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const Session session, session_->Get(context));
  request.SetHeader("Authorization", "Bearer " + session.token);
  return OkStatus();
}

bool BearerSigner::Forget() {
  session_->Forget();
  return true;
}

std::string FormBody(const Fields& fields) {
  std::string body;
  for (const auto& [name, value] : fields) {
    body += (body.empty() ? "" : "&") + net::PercentEncode(name) + "=" + net::PercentEncode(value);
  }
  return body;
}

net::HttpClientOptions LocalHttpOptions() {
  net::HttpClientOptions options;
  options.connect_timeout = std::chrono::seconds(2);
  options.response_header_timeout = std::chrono::seconds(10);
  options.follow_redirects = false;
  return options;
}

StatusOr<std::string> AskIssuer(const Context& context, net::HttpClient& http,
                                const net::HttpClientRequest& request, std::string_view issuer,
                                const RetryPolicy& retry) {
  std::string body;
  RETURN_IF_ERROR(Retry(context, retry, [&]() -> Status {
    StatusOr<net::HttpClientResponse> response = http.Do(context, request, kMaxAnswer);
    if (!response.ok()) {
      return Annotate(response.status(), fmt::format("a token of {}", issuer));
    }
    if (response->status != 200) return Refusal(*response, issuer);
    body = std::move(response->body);
    return OkStatus();
  }));
  return body;
}

StatusOr<Session> ReadOAuthToken(std::string_view json, TimestampMs now) {
  Session session;
  ASSIGN_OR_RETURN(session.token, ReadJsonField(json, "access_token"));
  if (session.token.empty()) return Internal("the answer with a token has an empty one");
  std::int64_t seconds = 0;
  if (const StatusOr<std::string> in = ReadJsonField(json, "expires_in"); in.ok() && !in->empty()) {
    ASSIGN_OR_RETURN(seconds, Seconds(*in));
  } else {
    ASSIGN_OR_RETURN(const std::string on, ReadJsonField(json, "expires_on"));
    ASSIGN_OR_RETURN(const std::int64_t second, Seconds(on));
    seconds = std::max(second, now / 1000) - now / 1000;
  }
  session.expires_ms = now + std::clamp<std::int64_t>(seconds, 0, kMaxLifetimeSeconds) * 1000;
  return session;
}

}  // namespace aevum::objstore
