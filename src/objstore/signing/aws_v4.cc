#include "objstore/signing/aws_v4.h"

#include <map>

#include "net/http/form.h"
#include "objstore/rest/source_digest.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

// Without blanks at the ends, and with one where several stand together.
std::string Squeeze(std::string_view value) {
  std::string out;
  for (const char c : net::TrimBlanks(value)) {
    if (c == ' ' && out.ends_with(' ')) continue;
    out += c;
  }
  return out;
}

std::string SigningKey(const Credentials& credentials, std::string_view day,
                       const AwsV4Scope& scope) {
  std::string key = "AWS4" + credentials.secret_key;
  for (const std::string_view part :
       {day, std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")}) {
    key = Hmac(DigestKind::kSha256, key, part);
  }
  return key;
}

}  // namespace

void SignAwsV4(const Credentials& credentials, const AwsV4Scope& scope,
               std::string_view payload_hash, RestRequest& request) {
  std::map<std::string, std::string> headers = {{"host", request.host}};
  for (const auto& [name, value] : request.headers) headers[net::ToLower(name)] = Squeeze(value);
  std::string header_lines;
  std::string header_names;
  for (const auto& [name, value] : headers) {
    header_lines += name + ":" + value + "\n";
    header_names += (header_names.empty() ? "" : ";") + name;
  }
  const std::string canonical =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path,
                  CanonicalQuery(request.query), header_lines, header_names, payload_hash);
  const std::string time(request.Header("X-Amz-Date"));
  const std::string day = time.substr(0, 8);
  const std::string scope_text =
      fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope_text,
                                          Hex(Digest(DigestKind::kSha256, canonical)));
  const std::string signature =
      Hex(Hmac(DigestKind::kSha256, SigningKey(credentials, day, scope), to_sign));
  request.SetHeader("Authorization",
                    fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                                credentials.access_key, scope_text, header_names, signature));
}

Status AwsV4Signer::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const Credentials credentials, credentials_->Get(context));
  if (credentials.access_key.empty()) return OkStatus();  // anonymous
  AwsV4Scope scope;
  ASSIGN_OR_RETURN(scope.region, region_(context));
  std::string hash(kUnsignedPayload);
  if (!over_tls_ || request.source == nullptr) {
    ASSIGN_OR_RETURN(hash, DigestOfBody(DigestKind::kSha256, request));
    hash = Hex(hash);
  }
  request.SetHeader("X-Amz-Date", FormatBasicIso8601(clock_.NowMs()));
  request.SetHeader("X-Amz-Content-Sha256", hash);
  if (!credentials.session_token.empty()) {
    request.SetHeader("X-Amz-Security-Token", credentials.session_token);
  }
  SignAwsV4(credentials, scope, hash, request);
  return OkStatus();
}

}  // namespace aevum::objstore
