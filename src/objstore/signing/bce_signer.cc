#include "objstore/signing/bce_signer.h"

#include <map>

#include "base/duration.h"
#include "net/http/form.h"
#include "net/url.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

constexpr int kSeconds = 1800;

bool IsSigned(std::string_view lower) {
  return lower == "content-length" || lower == "content-md5" || lower == "content-type" ||
         lower.starts_with("x-bce-");
}

}  // namespace

void SignBce(const Credentials& credentials, RestRequest& request) {
  std::map<std::string, std::string> headers = {{"host", request.host}};
  for (const auto& [name, value] : request.headers) {
    const std::string lower = net::ToLower(name);
    const std::string_view trimmed = net::TrimBlanks(value);
    if (IsSigned(lower) && !trimmed.empty()) headers[lower] = trimmed;
  }
  std::string header_lines;
  std::string header_names;
  for (const auto& [name, value] : headers) {
    const std::string_view first = header_lines.empty() ? "" : "\n";
    header_lines +=
        fmt::format("{}{}:{}", first, net::PercentEncode(name), net::PercentEncode(value));
    header_names += (header_names.empty() ? "" : ";") + name;
  }
  const std::string scope = fmt::format("bce-auth-v1/{}/{}/{}", credentials.access_key,
                                        request.Header("x-bce-date"), kSeconds);
  const std::string key = Hex(Hmac(DigestKind::kSha256, credentials.secret_key, scope));
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}", request.method, request.path,
                                            CanonicalQuery(request.query), header_lines);
  request.SetHeader("Authorization", fmt::format("{}/{}/{}", scope, header_names,
                                                 Hex(Hmac(DigestKind::kSha256, key, canonical))));
}

Status BceSigner::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const Credentials credentials, credentials_->Get(context));
  // In whole seconds.
  request.SetHeader("x-bce-date", FormatRfc3339(clock_.NowMs() / 1000 * 1000));
  if (!credentials.session_token.empty()) {
    request.SetHeader("x-bce-security-token", credentials.session_token);
  }
  SignBce(credentials, request);
  return OkStatus();
}

}  // namespace aevum::objstore
