#include "objstore/signing/azure_auth.h"

#include <algorithm>
#include <map>
#include <utility>

#include "net/http/form.h"
#include "net/http/transfer.h"
#include "net/url.h"
#include "objstore/signing/digest.h"
#include "objstore/signing/oauth.h"

namespace aevum::objstore {
namespace {

constexpr std::string_view kStorage = "https://storage.azure.com/";
constexpr std::size_t kMaxSasParameters = 50;

// The headers that have a line of their own, in their order.
constexpr std::string_view kPlainHeaders[] = {"Content-Encoding",
                                              "Content-Language",
                                              "Content-Length",
                                              "Content-MD5",
                                              "Content-Type",
                                              "Date",
                                              "If-Modified-Since",
                                              "If-Match",
                                              "If-None-Match",
                                              "If-Unmodified-Since",
                                              "Range"};

std::string PlainHeader(const RestRequest& request, std::string_view name) {
  if (name != "Content-Length") return std::string(request.Header(name));
  return request.body_size() == 0 ? std::string() : std::to_string(request.body_size());
}

std::string WithoutSlashes(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

class TokenService {
 public:
  TokenService(AzureIdentity identity, Environment variables, const net::HttpClientOptions& http,
               const Clock& clock)
      : identity_(std::move(identity)),
        variables_(std::move(variables)),
        http_(http),
        local_http_(LocalHttpOptions()),
        clock_(clock) {}

  StatusOr<Session> Ask(const Context& context) {
    if (!identity_.client_secret.empty()) {
      return AskForPrincipal(context, identity_, {{"client_secret", identity_.client_secret}});
    }
    if (!identity_.user_assigned_id.empty()) return AskMachine(context, identity_.user_assigned_id);
    AzureIdentity named;
    named.tenant_id = Variable("AZURE_TENANT_ID");
    named.client_id = Variable("AZURE_CLIENT_ID");
    const std::string secret = Variable("AZURE_CLIENT_SECRET");
    const std::string token_file = Variable("AZURE_FEDERATED_TOKEN_FILE");
    const bool complete = !named.tenant_id.empty() && !named.client_id.empty();
    if (complete && !secret.empty()) {
      return AskForPrincipal(context, named, {{"client_secret", secret}});
    }
    if (complete && !token_file.empty()) {
      ASSIGN_OR_RETURN(const std::string assertion, net::ReadSecret(token_file));
      return AskForPrincipal(
          context, named,
          {{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
           {"client_assertion", assertion}});
    }
    return AskMachine(context, named.client_id);
  }

 private:
  std::string Variable(const char* name) const { return variables_(name).value_or(""); }

  StatusOr<Session> AskForPrincipal(const Context& context, const AzureIdentity& who,
                                    const Fields& proof) {
    std::string authority = WithoutSlashes(Variable("AZURE_AUTHORITY_HOST"));
    if (authority.empty()) authority = "https://login.microsoftonline.com";
    Fields form = {{"grant_type", "client_credentials"},
                   {"client_id", who.client_id},
                   {"scope", std::string(kStorage) + ".default"}};
    form.insert(form.end(), proof.begin(), proof.end());
    net::HttpClientRequest request;
    request.method = "POST";
    request.url = authority + "/" + net::PercentEncode(who.tenant_id) + "/oauth2/v2.0/token";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body = FormBody(form);
    ASSIGN_OR_RETURN(const std::string body, AskIssuer(context, http_, request, authority));
    return ReadOAuthToken(body, clock_.NowMs());
  }

  StatusOr<Session> AskMachine(const Context& context, const std::string& client_id) {
    Fields query = {{"api-version", "2018-02-01"}, {"resource", std::string(kStorage)}};
    net::HttpClientRequest request;
    std::string endpoint = Variable("IDENTITY_ENDPOINT");
    const std::string header = Variable("IDENTITY_HEADER");
    if (!endpoint.empty() && !header.empty()) {
      query[0].second = "2019-08-01";
      request.headers = {{"X-IDENTITY-HEADER", header}};
    } else {
      endpoint = WithoutSlashes(Variable("AZURE_POD_IDENTITY_AUTHORITY_HOST"));
      if (endpoint.empty()) endpoint = "http://169.254.169.254";
      endpoint += "/metadata/identity/oauth2/token";
      request.headers = {{"Metadata", "true"}};
    }
    if (!client_id.empty()) query.emplace_back("client_id", client_id);
    request.url = endpoint + "?" + FormBody(query);
    ASSIGN_OR_RETURN(const std::string body, AskIssuer(context, local_http_, request,
                                                       "the managed identity", kMetadataRetry));
    return ReadOAuthToken(body, clock_.NowMs());
  }

  const AzureIdentity identity_;
  const Environment variables_;
  net::HttpClient http_;
  net::HttpClient local_http_;
  const Clock& clock_;
};

}  // namespace

StatusOr<std::shared_ptr<AzureKeySigner>> AzureKeySigner::Create(std::string account,
                                                                 std::string_view key_base64,
                                                                 const Clock& clock) {
  StatusOr<std::string> key = DecodeBase64(key_base64);
  if (!key.ok()) return Annotate(key.status(), "the key of the storage account");
  return std::shared_ptr<AzureKeySigner>(
      new AzureKeySigner(std::move(account), *std::move(key), clock));
}

std::string AzureKeySigner::TextToSign(const RestRequest& request) const {
  std::string text = request.method + "\n";
  for (const std::string_view name : kPlainHeaders) text += PlainHeader(request, name) + "\n";
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : request.headers) {
    std::string lower = net::ToLower(name);
    if (lower.starts_with("x-ms-")) headers[std::move(lower)] = net::TrimBlanks(value);
  }
  for (const auto& [name, value] : headers) text += name + ":" + value + "\n";
  text += "/" + account_ + request.path;
  Fields parameters;
  for (const auto& [name, value] : request.query) {
    parameters.emplace_back(net::ToLower(name), value);
  }
  std::sort(parameters.begin(), parameters.end());
  for (const auto& [name, value] : parameters) text += "\n" + name + ":" + value;
  return text;
}

Status AzureKeySigner::Sign(const Context&, RestRequest& request) {
  request.SetHeader("x-ms-date", FormatHttpDate(clock_.NowMs()));
  request.SetHeader("Authorization",
                    fmt::format("SharedKey {}:{}", account_,
                                Base64(Hmac(DigestKind::kSha256, key_, TextToSign(request)))));
  return OkStatus();
}

StatusOr<std::shared_ptr<AzureSasSigner>> AzureSasSigner::Create(std::string_view text) {
  if (text.starts_with('?')) text.remove_prefix(1);
  Fields parameters;
  RETURN_IF_ERROR(
      Annotate(net::ParseForm(text, kMaxSasParameters, &parameters), "shared access signature"));
  for (const auto& [name, value] : parameters) {
    if (name == "sig" && !value.empty()) {
      return std::shared_ptr<AzureSasSigner>(new AzureSasSigner(std::move(parameters)));
    }
  }
  return InvalidArgument("the shared access signature has no parameter 'sig'");
}

Status AzureSasSigner::Sign(const Context&, RestRequest& request) {
  request.query.insert(request.query.end(), parameters_.begin(), parameters_.end());
  return OkStatus();
}

KeptSession::Ask AskForAzureToken(AzureIdentity identity, Environment variables,
                                  const net::HttpClientOptions& http, const Clock& clock) {
  const auto service =
      std::make_shared<TokenService>(std::move(identity), std::move(variables), http, clock);
  return [service](const Context& context) { return service->Ask(context); };
}

}  // namespace aevum::objstore
