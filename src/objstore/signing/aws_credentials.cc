#include "objstore/signing/aws_credentials.h"

#include <chrono>
#include <optional>

#include "base/files.h"
#include "net/http/form.h"
#include "net/http/transfer.h"
#include "net/url.h"
#include "objstore/rest/answers.h"

namespace aevum::objstore {
namespace {

constexpr std::size_t kMaxAnswer = 1 << 20;
// The metadata service is one hop away, or not there at all.
constexpr std::chrono::seconds kMetadataTime{5};

using Found = StatusOr<std::optional<Credentials>>;

Found None() { return std::optional<Credentials>(); }

class Chain final : public CredentialsSource {
 public:
  explicit Chain(AwsCredentialsOptions options)
      : options_(std::move(options)), http_(options_.http), local_http_(LocalOptions()) {}

  StatusOr<Credentials> Get(const Context& context) override {
    for (const auto look : {&Chain::FromVariables, &Chain::FromFile, &Chain::FromWebIdentity,
                            &Chain::FromContainer, &Chain::FromInstance}) {
      ASSIGN_OR_RETURN(std::optional<Credentials> found, (this->*look)(context));
      if (found) return *std::move(found);
    }
    return MakeError(StatusCode::kUnauthenticated, "no credentials of Amazon are to be found");
  }

 private:
  std::string Variable(const char* name) const { return options_.variables(name).value_or(""); }

  // What is near is asked directly, whatever proxy leads to the store.
  static net::HttpClientOptions LocalOptions() {
    net::HttpClientOptions options;
    options.connect_timeout = std::chrono::seconds(2);
    options.follow_redirects = false;
    return options;
  }

  Found FromVariables(const Context&) {
    Credentials credentials{Variable("AWS_ACCESS_KEY_ID"), Variable("AWS_SECRET_ACCESS_KEY"),
                            Variable("AWS_SESSION_TOKEN"), kMaxTime};
    if (credentials.access_key.empty()) credentials.access_key = Variable("AWS_ACCESS_KEY");
    if (credentials.secret_key.empty()) credentials.secret_key = Variable("AWS_SECRET_KEY");
    if (credentials.access_key.empty() || credentials.secret_key.empty()) return None();
    return {std::move(credentials)};
  }

  Found FromFile(const Context&) {
    std::string path = Variable("AWS_SHARED_CREDENTIALS_FILE");
    if (path.empty()) path = Variable("HOME") + "/.aws/credentials";
    const StatusOr<std::string> text = ReadFile(path, kMaxAnswer);
    if (!text.ok()) return None();
    std::string profile = Variable("AWS_PROFILE");
    if (profile.empty()) profile = "default";
    Credentials credentials = ReadProfile(*text, profile);
    if (credentials.access_key.empty() || credentials.secret_key.empty()) return None();
    return {std::move(credentials)};
  }

  static Credentials ReadProfile(std::string_view text, std::string_view profile) {
    Credentials credentials;
    bool inside = false;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      std::string_view line = net::TrimBlanks(text.substr(0, end));
      if (line.ends_with('\r')) line.remove_suffix(1);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
      if (line.starts_with('[')) {
        inside = line.substr(1, line.find(']') - 1) == profile;
        continue;
      }
      const std::size_t equals = line.find('=');
      if (!inside || equals == std::string_view::npos) continue;
      const std::string_view name = net::TrimBlanks(line.substr(0, equals));
      const std::string_view value = net::TrimBlanks(line.substr(equals + 1));
      if (name == "aws_access_key_id") credentials.access_key = value;
      if (name == "aws_secret_access_key") credentials.secret_key = value;
      if (name == "aws_session_token") credentials.session_token = value;
    }
    return credentials;
  }

  Found FromWebIdentity(const Context& context) {
    const std::string token_file = Variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    const std::string role = Variable("AWS_ROLE_ARN");
    if (token_file.empty() || role.empty()) return None();
    ASSIGN_OR_RETURN(const std::string token, net::ReadSecret(token_file));
    std::string session = Variable("AWS_ROLE_SESSION_NAME");
    if (session.empty()) session = "aevum";
    net::HttpClientRequest request;
    request.method = "POST";
    request.url = StsUrl();
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.body =
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=" + net::PercentEncode(role) +
        "&RoleSessionName=" + net::PercentEncode(session) +
        "&WebIdentityToken=" + net::PercentEncode(token);
    ASSIGN_OR_RETURN(const std::string body, Ask(http_, context, request));
    const auto field = [&](std::string_view name) {
      return ReadXmlField(body, "AssumeRoleWithWebIdentityResponse",
                          "AssumeRoleWithWebIdentityResult.Credentials." + std::string(name));
    };
    return Assemble(field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken"),
                    field("Expiration"));
  }

  std::string StsUrl() const {
    std::string endpoint = options_.sts_endpoint;
    if (endpoint.empty()) {
      endpoint = options_.region.empty() ? "https://sts.amazonaws.com"
                                         : "https://sts." + options_.region + ".amazonaws.com";
    }
    return endpoint.find("://") == std::string::npos ? "https://" + endpoint : endpoint;
  }

  Found FromContainer(const Context& context) {
    std::string url = Variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const std::string relative = Variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    if (url.empty() && !relative.empty()) url = "http://169.254.170.2" + relative;
    if (url.empty()) return None();
    net::HttpClientRequest request;
    request.url = url;
    std::string token = Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    const std::string token_file = Variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (!token_file.empty()) {
      ASSIGN_OR_RETURN(token, net::ReadSecret(token_file));
    }
    if (!token.empty()) request.headers = {{"Authorization", token}};
    ASSIGN_OR_RETURN(const std::string body, Ask(local_http_, context, request));
    return FromJson(body);
  }

  Found FromInstance(const Context& context) {
    if (net::EqualsIgnoreCase(Variable("AWS_EC2_METADATA_DISABLED"), "true")) return None();
    std::string base = Variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (base.empty()) base = "http://169.254.169.254";
    while (base.ends_with('/')) base.pop_back();
    const Context near = context.WithTimeout(kMetadataTime);
    net::HttpClientRequest request;
    request.method = "PUT";
    request.url = base + "/latest/api/token";
    request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
    StatusOr<std::string> token = Ask(local_http_, near, request);
    if (!token.ok()) {
      RETURN_IF_ERROR(context.status());
      return None();  // not a machine of Amazon's
    }
    request.method = "GET";
    request.headers = {{"X-aws-ec2-metadata-token", *token}};
    request.url = base + "/latest/meta-data/iam/security-credentials/";
    ASSIGN_OR_RETURN(const std::string roles, Ask(local_http_, near, request));
    const std::string role = roles.substr(0, roles.find_first_of("\r\n"));
    request.url += net::PercentEncode(role);
    ASSIGN_OR_RETURN(const std::string body, Ask(local_http_, near, request));
    return FromJson(body);
  }

  static Found FromJson(std::string_view body) {
    return Assemble(ReadJsonField(body, "AccessKeyId"), ReadJsonField(body, "SecretAccessKey"),
                    ReadJsonField(body, "Token"), ReadJsonField(body, "Expiration"));
  }

  static Found Assemble(StatusOr<std::string> access_key, StatusOr<std::string> secret_key,
                        StatusOr<std::string> token, StatusOr<std::string> expiration) {
    Credentials credentials;
    ASSIGN_OR_RETURN(credentials.access_key, std::move(access_key));
    ASSIGN_OR_RETURN(credentials.secret_key, std::move(secret_key));
    ASSIGN_OR_RETURN(credentials.session_token, std::move(token));
    ASSIGN_OR_RETURN(const std::string until, std::move(expiration));
    ASSIGN_OR_RETURN(credentials.expires_ms, ParseStoreTime(until));
    return {std::move(credentials)};
  }

  static StatusOr<std::string> Ask(net::HttpClient& http, const Context& context,
                                   const net::HttpClientRequest& request) {
    ASSIGN_OR_RETURN(net::HttpClientResponse response, http.Do(context, request, kMaxAnswer));
    if (response.status != 200) {
      return MakeError(
          CodeOfHttpStatus(response.status),
          fmt::format("credentials of Amazon: {} answers {}", request.url, response.status));
    }
    return std::move(response.body);
  }

  const AwsCredentialsOptions options_;
  net::HttpClient http_;
  net::HttpClient local_http_;
};

}  // namespace

std::unique_ptr<CredentialsSource> AwsCredentialsChain(AwsCredentialsOptions options) {
  return std::make_unique<Chain>(std::move(options));
}

}  // namespace aevum::objstore
