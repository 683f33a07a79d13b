#include "objstore/signing/cos_signer.h"

#include <algorithm>
#include <array>
#include <map>

#include "net/http/form.h"
#include "net/url.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

constexpr std::int64_t kSecondsBefore = 60;
constexpr std::int64_t kSecondsAfter = 3600;

// Of the headers that the store signs, those that are sent here.
bool IsSigned(std::string_view lower) {
  static constexpr std::array<std::string_view, 5> kNames = {"content-md5", "content-type",
                                                             "if-match", "if-none-match", "range"};
  return std::find(kNames.begin(), kNames.end(), lower) != kNames.end() ||
         lower.starts_with("x-cos-");
}

// Names in lower case with values, all encoded: "a=1&b=2", and the names alone: "a;b".
struct SignedPairs {
  std::string text;
  std::string names;

  explicit SignedPairs(const std::map<std::string, std::string>& pairs) {
    for (const auto& [name, value] : pairs) {
      const std::string_view first = text.empty() ? "" : "&";
      text += fmt::format("{}{}={}", first, name, net::PercentEncode(value));
      names += (names.empty() ? "" : ";") + name;
    }
  }
};

}  // namespace

Status SignCos(const Credentials& credentials, std::string_view period, RestRequest& request) {
  std::map<std::string, std::string> headers = {{"host", request.host}};
  for (const auto& [name, value] : request.headers) {
    const std::string lower = net::ToLower(name);
    if (IsSigned(lower)) headers[lower] = value;
  }
  std::map<std::string, std::string> query;
  for (const auto& [name, value] : request.query) {
    query[net::ToLower(net::PercentEncode(name))] = value;
  }
  ASSIGN_OR_RETURN(const std::string path, net::PercentDecode(request.path, false));
  const SignedPairs signed_headers(headers);
  const SignedPairs signed_query(query);
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n", net::ToLower(request.method), path,
                                            signed_query.text, signed_headers.text);
  const std::string to_sign =
      fmt::format("sha1\n{}\n{}\n", period, Hex(Digest(DigestKind::kSha1, canonical)));
  const std::string key = Hex(Hmac(DigestKind::kSha1, credentials.secret_key, period));
  request.SetHeader(
      "Authorization",
      fmt::format("q-sign-algorithm=sha1&q-ak={}&q-sign-time={}&q-key-time={}&q-header-list={}"
                  "&q-url-param-list={}&q-signature={}",
                  credentials.access_key, period, period, signed_headers.names, signed_query.names,
                  Hex(Hmac(DigestKind::kSha1, key, to_sign))));
  return OkStatus();
}

Status CosSigner::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const Credentials credentials, credentials_->Get(context));
  if (!credentials.session_token.empty()) {
    request.SetHeader("x-cos-security-token", credentials.session_token);
  }
  const std::int64_t now = clock_.NowMs() / 1000;
  return SignCos(credentials, fmt::format("{};{}", now - kSecondsBefore, now + kSecondsAfter),
                 request);
}

}  // namespace aevum::objstore
