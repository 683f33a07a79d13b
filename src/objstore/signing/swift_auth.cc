#include "objstore/signing/swift_auth.h"

#include <nlohmann/json.hpp>

#include "objstore/rest/answers.h"
#include "objstore/retry.h"

namespace aevum::objstore {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxAnswer = 4 << 20;  // catalogues of large clouds are long

std::string TextOf(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The list of that name, or an empty one.
const Json& ListOf(const Json& object, const char* name) {
  static const Json kNone = Json::array();
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : kNone;
}

void SetUnlessEmpty(Json& object, const char* name, const std::string& value) {
  if (!value.empty()) object[name] = value;
}

Json Domain(const std::string& id, const std::string& name) {
  Json domain = Json::object();
  SetUnlessEmpty(domain, "id", id);
  if (id.empty()) SetUnlessEmpty(domain, "name", name);
  return domain;
}

const std::string& FirstOf(const std::string& a, const std::string& b) { return a.empty() ? b : a; }

Json IdentityOfUser(const SwiftLogin& login) {
  Json user = Json::object();
  SetUnlessEmpty(user, "id", login.user_id);
  if (login.user_id.empty()) {
    user["name"] = login.username;
    const Json domain = Domain(FirstOf(login.user_domain_id, login.domain_id),
                               FirstOf(login.user_domain_name, login.domain_name));
    if (!domain.empty()) user["domain"] = domain;
  }
  return user;
}

Json BodyOfVersion3(const SwiftLogin& login) {
  Json identity;
  const bool by_application =
      !login.application_credential_id.empty() || !login.application_credential_name.empty();
  if (by_application) {
    Json credential = {{"secret", login.application_credential_secret}};
    SetUnlessEmpty(credential, "id", login.application_credential_id);
    if (login.application_credential_id.empty()) {
      credential["name"] = login.application_credential_name;
      credential["user"] = IdentityOfUser(login);
    }
    identity = {{"methods", {"application_credential"}}, {"application_credential", credential}};
    return {{"auth", {{"identity", identity}}}};  // such a credential has a scope of its own
  }
  Json user = IdentityOfUser(login);
  user["password"] = login.password;
  identity = {{"methods", {"password"}}, {"password", {{"user", user}}}};
  Json body = {{"auth", {{"identity", identity}}}};
  if (login.project_id.empty() && login.project_name.empty()) return body;
  Json project = Json::object();
  SetUnlessEmpty(project, "id", login.project_id);
  if (login.project_id.empty()) {
    project["name"] = login.project_name;
    const Json domain = Domain(FirstOf(login.project_domain_id, login.domain_id),
                               FirstOf(login.project_domain_name, login.domain_name));
    if (!domain.empty()) project["domain"] = domain;
  }
  body["auth"]["scope"]["project"] = project;
  return body;
}

StatusOr<TimestampMs> ExpiryOf(const Json& token) {
  std::string expires = TextOf(token, "expires_at");
  if (expires.empty()) expires = TextOf(token, "expires");
  if (expires.empty()) return kMaxTime;
  return ParseStoreTime(expires);
}

// Version 3 has one endpoint an interface, version 2 all of a region in one.
std::string UrlOfEndpoint(const Json& endpoint, std::string_view region) {
  const std::string in = TextOf(endpoint, "region");
  if (!region.empty() && in != region) return {};
  if (std::string url = TextOf(endpoint, "publicURL"); !url.empty()) return url;
  return TextOf(endpoint, "interface") == "public" ? TextOf(endpoint, "url") : std::string();
}

StatusOr<net::HttpClientResponse> Ask(const Context& context, net::HttpClient& http,
                                      const net::HttpClientRequest& request) {
  net::HttpClientResponse answer;
  RETURN_IF_ERROR(Retry(context, {}, [&]() -> Status {
    ASSIGN_OR_RETURN(answer, http.Do(context, request, kMaxAnswer));
    if (answer.status >= 200 && answer.status < 300) return OkStatus();
    return MakeError(CodeOfHttpStatus(answer.status),
                     fmt::format("login to {}: the answer is {}", request.url, answer.status));
  }));
  return answer;
}

StatusOr<Session> LogInVersion1(const Context& context, net::HttpClient& http,
                                const SwiftLogin& login) {
  net::HttpClientRequest request;
  request.url = login.url;
  request.headers = {{"X-Auth-User", login.username}, {"X-Auth-Key", login.password}};
  ASSIGN_OR_RETURN(const net::HttpClientResponse response, Ask(context, http, request));
  Session session{std::string(response.Header("X-Auth-Token")),
                  std::string(response.Header("X-Storage-Url")), kMaxTime};
  if (session.token.empty() || session.url.empty()) {
    return Internal("login to {}: the answer has no token or no URL of a store", login.url);
  }
  return session;
}

}  // namespace

int VersionOfLogin(const SwiftLogin& login) {
  if (login.version != 0) return login.version;
  if (login.url.find("/v3") != std::string::npos) return 3;
  return login.url.find("/v2") != std::string::npos ? 2 : 1;
}

std::string SwiftLoginBody(const SwiftLogin& login) {
  if (VersionOfLogin(login) == 3) return BodyOfVersion3(login).dump();
  Json auth = {
      {"passwordCredentials", {{"username", login.username}, {"password", login.password}}}};
  SetUnlessEmpty(auth, "tenantId", login.project_id);
  SetUnlessEmpty(auth, "tenantName", login.project_name);
  return Json{{"auth", auth}}.dump();
}

StatusOr<Session> ReadSwiftCatalog(std::string_view json, std::string_view region,
                                   std::string_view token) {
  const Json parsed = Json::parse(json, nullptr, false);
  const char* root_name = token.empty() ? "access" : "token";
  if (!parsed.is_object() || !parsed.contains(root_name)) {
    return Internal("the answer to a login lacks '{}'", root_name);
  }
  const Json& root = parsed.at(root_name);
  Session session;
  session.token = token;
  const Json* about = &root;
  if (token.empty()) {
    if (!root.is_object() || !root.contains("token")) {
      return Internal("the answer to a login lacks a token");
    }
    about = &root.at("token");
    session.token = TextOf(*about, "id");
  }
  ASSIGN_OR_RETURN(session.expires_ms, ExpiryOf(*about));
  for (const Json& service : ListOf(root, token.empty() ? "serviceCatalog" : "catalog")) {
    if (TextOf(service, "type") != "object-store") continue;
    for (const Json& endpoint : ListOf(service, "endpoints")) {
      if (session.url.empty()) session.url = UrlOfEndpoint(endpoint, region);
    }
  }
  if (session.token.empty() || session.url.empty()) {
    return Internal("the answer to a login has no token, or no object store in region '{}'",
                    region);
  }
  return session;
}

StatusOr<Session> LogIn(const Context& context, net::HttpClient& http, const SwiftLogin& login) {
  const int version = VersionOfLogin(login);
  if (version == 1) return LogInVersion1(context, http, login);
  net::HttpClientRequest request;
  request.method = "POST";
  request.url = login.url;
  while (request.url.ends_with('/')) request.url.pop_back();
  request.url += version == 3 ? "/auth/tokens" : "/tokens";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = SwiftLoginBody(login);
  ASSIGN_OR_RETURN(const net::HttpClientResponse response, Ask(context, http, request));
  const std::string_view token = version == 3 ? response.Header("X-Subject-Token") : "";
  if (version == 3 && token.empty()) {
    return Internal("login to {}: the answer has no token", login.url);
  }
  return ReadSwiftCatalog(response.body, login.region, token);
}

}  // namespace aevum::objstore
