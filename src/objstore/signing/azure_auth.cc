#include "objstore/signing/azure_auth.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/files.h"
#include "net/http/form.h"
#include "net/url.h"
#include "objstore/rest/answers.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

constexpr std::string_view kStorage = "https://storage.azure.com/";
constexpr std::size_t kMaxAnswer = 1 << 20;

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

void SetService(const Clock& clock, RestRequest& request) {
  request.SetHeader("x-ms-date", FormatHttpDate(clock.NowMs()));
  request.SetHeader("x-ms-version", std::string(kAzureVersion));
}

StatusOr<Session> ReadToken(const StatusOr<net::HttpClientResponse>& response, std::string_view who,
                            const Clock& clock) {
  RETURN_IF_ERROR(response.status());
  if (response->status != 200) {
    return MakeError(
        CodeOfHttpStatus(response->status),
        fmt::format("token of Azure from {}: the answer is {}", who, response->status));
  }
  Session session;
  ASSIGN_OR_RETURN(session.token, ReadJsonField(response->body, "access_token"));
  ASSIGN_OR_RETURN(const std::string seconds, ReadJsonField(response->body, "expires_in"));
  std::int64_t lifetime = 0;
  std::from_chars(seconds.data(), seconds.data() + seconds.size(), lifetime);
  session.expires_ms = clock.NowMs() + std::clamp<std::int64_t>(lifetime, 0, 86'400) * 1000;
  return session;
}

class TokenService {
 public:
  TokenService(AzureIdentity identity, Environment variables, const net::HttpClientOptions& http,
               const Clock& clock)
      : identity_(std::move(identity)),
        variables_(std::move(variables)),
        http_(http),
        local_http_(LocalOptions()),
        clock_(clock) {}

  StatusOr<Session> Ask(const Context& context) {
    if (!identity_.client_secret.empty()) return AskForPrincipal(context, identity_, "");
    if (identity_.user_assigned_id.empty()) {
      AzureIdentity named{Variable("AZURE_TENANT_ID"), Variable("AZURE_CLIENT_ID"),
                          Variable("AZURE_CLIENT_SECRET"), ""};
      const std::string token_file = Variable("AZURE_FEDERATED_TOKEN_FILE");
      const bool complete = !named.tenant_id.empty() && !named.client_id.empty();
      if (complete && !named.client_secret.empty()) return AskForPrincipal(context, named, "");
      if (complete && !token_file.empty()) {
        ASSIGN_OR_RETURN(const std::string token, ReadFile(token_file, kMaxAnswer));
        return AskForPrincipal(context, named, token);
      }
    }
    return AskMachine(context);
  }

 private:
  static net::HttpClientOptions LocalOptions() {
    net::HttpClientOptions options;
    options.connect_timeout = std::chrono::seconds(2);
    options.follow_redirects = false;
    return options;
  }
  std::string Variable(const char* name) const { return variables_(name).value_or(""); }

  // With an assertion of another issuer in place of the secret when there is one.
  StatusOr<Session> AskForPrincipal(const Context& context, const AzureIdentity& who,
                                    std::string_view assertion) {
    std::string authority = Variable("AZURE_AUTHORITY_HOST");
    if (authority.empty()) authority = "https://login.microsoftonline.com";
    while (authority.ends_with('/')) authority.pop_back();
    net::HttpClientRequest request;
    request.method = "POST";
    request.url = authority + "/" + net::PercentEncode(who.tenant_id) + "/oauth2/v2.0/token";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body = "grant_type=client_credentials&client_id=" + net::PercentEncode(who.client_id) +
                   "&scope=" + net::PercentEncode(std::string(kStorage) + ".default");
    if (assertion.empty()) {
      request.body += "&client_secret=" + net::PercentEncode(who.client_secret);
    } else {
      request.body +=
          "&client_assertion_type="
          "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=" +
          net::PercentEncode(net::TrimBlanks(assertion));
    }
    return ReadToken(http_.Do(context, request, kMaxAnswer), authority, clock_);
  }

  StatusOr<Session> AskMachine(const Context& context) {
    std::string base = Variable("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    if (base.empty()) base = "http://169.254.169.254";
    net::HttpClientRequest request;
    request.url = base + "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=" +
                  net::PercentEncode(kStorage);
    if (!identity_.user_assigned_id.empty()) {
      request.url += "&client_id=" + net::PercentEncode(identity_.user_assigned_id);
    }
    request.headers = {{"Metadata", "true"}};
    return ReadToken(local_http_.Do(context, request, kMaxAnswer), base, clock_);
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
  if (!key.ok()) return Annotate(key.status(), "storage_account_key");
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
  SetService(clock_, request);
  request.SetHeader("Authorization",
                    fmt::format("SharedKey {}:{}", account_,
                                Base64(Hmac(DigestKind::kSha256, key_, TextToSign(request)))));
  return OkStatus();
}

Status AzureSasSigner::Sign(const Context&, RestRequest& request) {
  SetService(Clock::System(), request);
  request.query.insert(request.query.end(), parameters_.begin(), parameters_.end());
  return OkStatus();
}

Status AzureTokenSigner::Sign(const Context& context, RestRequest& request) {
  ASSIGN_OR_RETURN(const Session session, session_->Get(context));
  SetService(Clock::System(), request);
  request.SetHeader("Authorization", "Bearer " + session.token);
  return OkStatus();
}

bool AzureTokenSigner::Forget() {
  session_->Forget();
  return true;
}

KeptSession::Ask AskForAzureToken(AzureIdentity identity, Environment variables,
                                  const net::HttpClientOptions& http, const Clock& clock) {
  const auto service =
      std::make_shared<TokenService>(std::move(identity), std::move(variables), http, clock);
  return [service](const Context& context) { return service->Ask(context); };
}

}  // namespace aevum::objstore
