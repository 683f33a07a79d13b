#include "objstore/signing/google_auth.h"

#include <memory>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "net/url.h"
#include "objstore/rest/answers.h"
#include "objstore/signing/digest.h"
#include "objstore/signing/oauth.h"

namespace aevum::objstore {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kStorageScope =
    "https://www.googleapis.com/auth/devstorage.full_control";
// What another token is asked with.
constexpr std::string_view kPlatformScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr std::string_view kUniverse = "googleapis.com";
constexpr std::int64_t kAssertionSeconds = 3600;
constexpr std::size_t kMaxFile = 1 << 20;
// Credentials may stand in others, for impersonation.
constexpr int kMaxDepth = 3;

// No exceptions; a discarded value for what is no JSON.
Json Parse(std::string_view text) { return Json::parse(text, nullptr, false); }

std::string TextOf(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const Json& PartOf(const Json& object, const char* name) {
  static const Json kNone = Json::object();
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : kNone;
}

Status Require(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (TextOf(object, name).empty()) {
      return InvalidArgument("credentials of Google: {} is not given", name);
    }
  }
  return OkStatus();
}

// What a subject token of another issuer comes from.
Status CheckSource(const Json& source) {
  if (!TextOf(source, "file").empty() || !TextOf(source, "url").empty()) return OkStatus();
  return InvalidArgument(
      "credentials of Google: credential_source of type external_account has neither file nor "
      "url; other sources are not supported");
}

Status CheckCredentials(const Json& json, int depth) {
  if (!json.is_object()) return InvalidArgument("credentials of Google: not a JSON object");
  const std::string universe = TextOf(json, "universe_domain");
  if (!universe.empty() && universe != kUniverse) {
    return Unimplemented("credentials of Google: universe_domain {} is not supported", universe);
  }
  const std::string type = TextOf(json, "type");
  if (type == "service_account") return Require(json, {"client_email", "private_key"});
  if (type == "authorized_user") {
    return Require(json, {"client_id", "client_secret", "refresh_token"});
  }
  if (type == "external_account") {
    RETURN_IF_ERROR(Require(json, {"audience", "subject_token_type", "token_url"}));
    return CheckSource(PartOf(json, "credential_source"));
  }
  if (type == "impersonated_service_account") {
    if (depth >= kMaxDepth) return InvalidArgument("credentials of Google: nested too deeply");
    RETURN_IF_ERROR(Require(json, {"service_account_impersonation_url"}));
    return CheckCredentials(PartOf(json, "source_credentials"), depth + 1);
  }
  return InvalidArgument("credentials of Google: type '{}' is not supported", OneLine(type));
}

// A URL of a file of credentials for errors: without what may be secret.
std::string Shown(const std::string& text) {
  StatusOr<net::Url> url = net::Url::Parse(text);
  if (!url.ok()) return "an issuer whose URL is none";
  url->query.clear();
  return url->ToString();
}

net::HttpClientRequest FormTo(const std::string& url, const Fields& fields) {
  net::HttpClientRequest request;
  request.method = "POST";
  request.url = url;
  request.secret_query = true;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = FormBody(fields);
  return request;
}

class TokenService {
 public:
  TokenService(GoogleAuthOptions options, Json credentials, const Clock& clock)
      : options_(std::move(options)),
        credentials_(std::move(credentials)),
        http_(options_.http),
        local_http_(LocalHttpOptions()),
        clock_(clock) {}

  StatusOr<Session> Ask(const Context& context) {
    if (credentials_.is_object()) return AskWith(context, credentials_, kStorageScope);
    std::string path = Variable("GOOGLE_APPLICATION_CREDENTIALS");
    const bool is_named = !path.empty();
    if (!is_named) path = FileOfGcloud();
    const StatusOr<std::string> text = ReadFile(path, kMaxFile);
    // What nobody named need not be there, nor be for this process to read.
    if (!text.ok() && !is_named) return AskMachine(context);
    RETURN_IF_ERROR(Annotate(text.status(), "credentials of Google: " + path));
    const Json json = Parse(*text);
    RETURN_IF_ERROR(Annotate(CheckCredentials(json, 0), path));
    return AskWith(context, json, kStorageScope);
  }

 private:
  std::string Variable(const char* name) const { return options_.variables(name).value_or(""); }

  std::string FileOfGcloud() const {
    std::string folder = Variable("CLOUDSDK_CONFIG");
    if (folder.empty()) folder = Variable("HOME") + "/.config/gcloud";
    return folder + "/application_default_credentials.json";
  }

  // Checked credentials.
  StatusOr<Session> AskWith(const Context& context, const Json& json, std::string_view scope) {
    const std::string type = TextOf(json, "type");
    if (type == "service_account") return AskForAccount(context, json, scope);
    if (type == "authorized_user") return AskForUser(context, json);
    const std::string impersonation = TextOf(json, "service_account_impersonation_url");
    if (type == "external_account") {
      if (impersonation.empty()) return AskForExternal(context, json, scope);
      ASSIGN_OR_RETURN(const Session source, AskForExternal(context, json, kPlatformScope));
      return Impersonate(context, impersonation, source, scope);
    }
    ASSIGN_OR_RETURN(const Session source,
                     AskWith(context, PartOf(json, "source_credentials"), kPlatformScope));
    return Impersonate(context, impersonation, source, scope);
  }

  StatusOr<Session> AskForm(const Context& context, const net::HttpClientRequest& request) {
    ASSIGN_OR_RETURN(const std::string body,
                     AskIssuer(context, http_, request, Shown(request.url)));
    return ReadOAuthToken(body, clock_.NowMs());
  }

  StatusOr<Session> AskForAccount(const Context& context, const Json& json,
                                  std::string_view scope) {
    GoogleServiceAccount account;
    account.email = TextOf(json, "client_email");
    account.key_id = TextOf(json, "private_key_id");
    account.private_key = TextOf(json, "private_key");
    account.token_url = TextOf(json, "token_uri");
    if (account.token_url.empty()) account.token_url = kTokenUrl;
    ASSIGN_OR_RETURN(const std::string assertion, GoogleAssertion(account, scope, clock_.NowMs()));
    return AskForm(context, FormTo(account.token_url,
                                   {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
                                    {"assertion", assertion}}));
  }

  StatusOr<Session> AskForUser(const Context& context, const Json& json) {
    const std::string url = TextOf(json, "token_uri");
    return AskForm(context, FormTo(url.empty() ? kTokenUrl : url,
                                   {{"grant_type", "refresh_token"},
                                    {"client_id", TextOf(json, "client_id")},
                                    {"client_secret", TextOf(json, "client_secret")},
                                    {"refresh_token", TextOf(json, "refresh_token")}}));
  }

  StatusOr<Session> AskForExternal(const Context& context, const Json& json,
                                   std::string_view scope) {
    ASSIGN_OR_RETURN(const std::string subject,
                     SubjectToken(context, PartOf(json, "credential_source")));
    return AskForm(
        context, FormTo(TextOf(json, "token_url"),
                        {{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                         {"audience", TextOf(json, "audience")},
                         {"scope", std::string(scope)},
                         {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                         {"subject_token_type", TextOf(json, "subject_token_type")},
                         {"subject_token", subject}}));
  }

  StatusOr<std::string> SubjectToken(const Context& context, const Json& source) {
    std::string text;
    if (const std::string file = TextOf(source, "file"); !file.empty()) {
      ASSIGN_OR_RETURN(text, ReadFile(file, kMaxFile));
    } else {
      net::HttpClientRequest request;
      request.url = TextOf(source, "url");
      for (const auto& [name, value] : PartOf(source, "headers").items()) {
        if (value.is_string()) request.headers.emplace_back(name, value.get<std::string>());
      }
      request.secret_query = true;
      ASSIGN_OR_RETURN(text, AskIssuer(context, http_, request, Shown(request.url)));
    }
    const Json& format = PartOf(source, "format");
    if (TextOf(format, "type") == "json") {
      const std::string token =
          TextOf(Parse(text), TextOf(format, "subject_token_field_name").c_str());
      if (token.empty()) return Internal("credentials of Google: the source has no subject token");
      return token;
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
  }

  StatusOr<Session> Impersonate(const Context& context, const std::string& url,
                                const Session& source, std::string_view scope) {
    net::HttpClientRequest request;
    request.method = "POST";
    request.url = url;
    request.secret_query = true;
    request.headers = {{"Content-Type", "application/json"},
                       {"Authorization", "Bearer " + source.token}};
    request.body = Json{{"scope", {scope}}, {"lifetime", "3600s"}}.dump();
    ASSIGN_OR_RETURN(const std::string body, AskIssuer(context, http_, request, Shown(url)));
    Session session;
    ASSIGN_OR_RETURN(session.token, ReadJsonField(body, "accessToken"));
    ASSIGN_OR_RETURN(const std::string until, ReadJsonField(body, "expireTime"));
    ASSIGN_OR_RETURN(session.expires_ms, ParseStoreTime(until));
    return session;
  }

  StatusOr<Session> AskMachine(const Context& context) {
    std::string host = Variable("GCE_METADATA_HOST");
    if (host.empty()) host = "169.254.169.254";
    net::HttpClientRequest request;
    request.url = "http://" + host +
                  "/computeMetadata/v1/instance/service-accounts/default/token?" +
                  FormBody({{"scopes", std::string(kStorageScope)}});
    request.headers = {{"Metadata-Flavor", "Google"}};
    ASSIGN_OR_RETURN(const std::string body, AskIssuer(context, local_http_, request,
                                                       "the metadata service", kMetadataRetry));
    return ReadOAuthToken(body, clock_.NowMs());
  }

  const GoogleAuthOptions options_;
  const Json credentials_;  // null: the default ones
  net::HttpClient http_;
  net::HttpClient local_http_;
  const Clock& clock_;
};

}  // namespace

StatusOr<std::string> GoogleAssertion(const GoogleServiceAccount& account, std::string_view scope,
                                      TimestampMs now) {
  Json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!account.key_id.empty()) header["kid"] = account.key_id;
  const std::int64_t second = now / 1000;
  const Json claims = {{"iss", account.email},
                       {"scope", scope},
                       {"aud", account.token_url},
                       {"iat", second},
                       {"exp", second + kAssertionSeconds}};
  const auto encode = [](const Json& json) {
    return Base64Url(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  };
  const std::string text = encode(header) + "." + encode(claims);
  StatusOr<std::string> signature = SignRsaSha256(account.private_key, "", text);
  if (!signature.ok()) return Annotate(signature.status(), "credentials of Google");
  return text + "." + Base64Url(*signature);
}

StatusOr<KeptSession::Ask> AskForGoogleToken(GoogleAuthOptions options, const Clock& clock) {
  Json credentials;
  if (!options.credentials.empty()) {
    credentials = Parse(options.credentials);
    RETURN_IF_ERROR(CheckCredentials(credentials, 0));
  }
  const auto service =
      std::make_shared<TokenService>(std::move(options), std::move(credentials), clock);
  return KeptSession::Ask([service](const Context& context) { return service->Ask(context); });
}

}  // namespace aevum::objstore
