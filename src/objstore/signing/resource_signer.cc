#include "objstore/signing/resource_signer.h"

#include <algorithm>
#include <array>
#include <map>

#include "net/http/form.h"
#include "net/url.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

// Of all parameters that the stores sign, those that are sent here.
constexpr std::array<std::string_view, 4> kSignedParameters = {"location", "partNumber", "uploadId",
                                                               "uploads"};

std::string SignedParameters(const Fields& query) {
  Fields found;
  for (const auto& parameter : query) {
    if (std::find(kSignedParameters.begin(), kSignedParameters.end(), parameter.first) !=
        kSignedParameters.end()) {
      found.push_back(parameter);
    }
  }
  std::sort(found.begin(), found.end());
  std::string text;
  for (const auto& [name, value] : found) {
    text += (text.empty() ? "?" : "&") + name + (value.empty() ? "" : "=" + value);
  }
  return text;
}

}  // namespace

void SignResource(const Credentials& credentials, const ResourceSignatureStyle& style,
                  std::string_view resource, RestRequest& request) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : request.headers) {
    std::string lower = net::ToLower(name);
    if (lower.starts_with(style.header_prefix)) {
      headers[std::move(lower)] = net::TrimBlanks(value);
    }
  }
  std::string header_lines;
  for (const auto& [name, value] : headers) header_lines += name + ":" + value + "\n";
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}\n{}{}{}", request.method, request.Header("Content-MD5"),
                  request.Header("Content-Type"), request.Header("Date"), header_lines, resource,
                  SignedParameters(request.query));
  request.SetHeader("Authorization",
                    fmt::format("{} {}:{}", style.scheme, credentials.access_key,
                                Base64(Hmac(DigestKind::kSha1, credentials.secret_key, to_sign))));
}

Status ResourceSigner::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const Credentials credentials, credentials_->Get(context));
  request.SetHeader("Date", FormatHttpDate(clock_.NowMs()));
  if (!credentials.session_token.empty()) {
    request.SetHeader(style_.header_prefix + "security-token", credentials.session_token);
  }
  std::string path = request.path;
  if (!style_.signs_encoded_path) {
    ASSIGN_OR_RETURN(path, net::PercentDecode(path, false));
  }
  SignResource(credentials, style_, path_prefix_ + path, request);
  return OkStatus();
}

}  // namespace aevum::objstore
