#include "objstore/signing/google_auth.h"

#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "net/http/server.h"
#include "objstore/bucket.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Made for this test by `openssl genrsa 1024`; it opens nothing.
constexpr const char* kKey = R"(-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBANX9HEL4Xta+MOrm
SFnXGl0lD/WVctQeEx3Un/5rjzDOvdenRotCNy15kKu48sub0S676X5mL/D7+wtd
gomJvVw2IlXtAL0Wsgbu+Ezy3TKPQBr14hHueyCaYC0+iLy1yhFSTsnH++7Iip/U
V4ZAhR07Sw+po6LC5HDR3TNseCF3AgMBAAECgYBGDqfCBS6Hf5zkSqBFSXcIJ6oh
7Nu7Nl1r1sDKuswWXpkokUs3LGaELNiAX/ydTFYfxsWa7Dml29lEz0h9XurvPCtF
eENsPExYlLMAZvd/8h7k2Dquq32IHm5CJ2N6eKdkOLzc2ohplu6iXpnmhgLh7QDa
ZSiN51k2/URko3DjAQJBAPNJVfp3H7N98O0rzFGk5YlbVk2kiRNOfF2D7dH62pNn
nBUCZqFdufEd/1goFLr9rYrGIhZK8THY8zM7YIE+PQkCQQDhK9TzxIzIR3/yAbQN
8KFJfKSxBwuM8yMLiA2H+hpORRimeP3iZy1ndRtErWC5Jr65dWBtUlt4hkK+kWIx
aYp/AkAEUi0gwbTibz40OC7s1EzvX5vszRtSKHa1An7a1+XB8HkpNl20SAHhcnLy
keOsXo0ShepdEv+trvjC1C8mnIBhAkEAhED3cjpGqjf8uUsw02M7iGsyXFwT97Sz
J8nAkNZgbwp8gQLdtAYAEB0jaAIhpn5QVaPQgEV4PmE1gLLpprYjxwJARhtgsf9r
syAKFmXg3xCwWGO37HGVz8h6Lqg6WdM8ROAwddUmqwxZY6HtaKsBwgPjAAa3c3pH
ZgqPBnwUPvSHcA==
-----END PRIVATE KEY-----
)";

std::string Decoded(std::string_view base64url) {
  std::string text(base64url);
  for (char& c : text) c = c == '-' ? '+' : (c == '_' ? '/' : c);
  while (text.size() % 4 != 0) text += '=';
  const StatusOr<std::string> bytes = DecodeBase64(text);
  return bytes.ok() ? *bytes : "not Base64";
}

TEST(GoogleAssertionTest, SaysWhoAsksForWhat) {
  const GoogleServiceAccount account = {"me@project", "id", kKey, "https://issuer/token"};
  const StatusOr<std::string> assertion = GoogleAssertion(account, "scope", 1'000'000'000'000);
  ASSERT_TRUE(assertion.ok()) << assertion.status();
  const std::size_t first = assertion->find('.');
  const std::size_t second = assertion->find('.', first + 1);
  ASSERT_NE(second, std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(Decoded(assertion->substr(0, first))),
            nlohmann::json::parse(R"({"alg": "RS256", "typ": "JWT", "kid": "id"})"));
  EXPECT_EQ(nlohmann::json::parse(Decoded(assertion->substr(first + 1, second - first - 1))),
            nlohmann::json::parse(R"({"iss": "me@project", "scope": "scope",
                "aud": "https://issuer/token", "iat": 1000000000, "exp": 1000003600})"));
  // As `openssl dgst -sha256 -sign` signs the text before the last dot.
  EXPECT_EQ(assertion->substr(second + 1),
            "ZeVpFtcLOMWQ-g1isWJlLxPJs73Cz-RfzDDUX8vS920TD9kZ9dqd3OQbZUgVu3hdH0CSTPfqh4-"
            "oCkOntqocVyPiuRP4-9n2_YyGjL1FHct31jC-lGxTxk9qXFeeU8wSq8q8i29hOIgE1Q_"
            "ZJZGAjGnHPS3uqXRPoKtwTxb1B2E");
}

TEST(GoogleAssertionTest, DoesNotRepeatAKeyThatCantSign) {
  const Status status = GoogleAssertion({"me", "", "secret", "u"}, "s", 0).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
}

constexpr const char* kMetadataPath = "/computeMetadata/v1/instance/service-accounts/default/token";

// A machine with variables, files, and one server for all that is asked over HTTP.
class GoogleTokenTest : public ::testing::Test {
 protected:
  GoogleTokenTest() : directory_(*TemporaryDirectory::Create()) {
    variables_ = {{"HOME", directory_.path()}};
    for (const char* path : {"/token", "/exchange", "/impersonate", kMetadataPath}) {
      server_.Handle(
          "", path, path,
          [this, path](const Context&, const net::HttpRequest& request,
                       net::HttpResponse& response) { answers_.at(path)(request, response); });
    }
    EXPECT_TRUE(server_.Start().ok());
    url_ = "http://127.0.0.1:" + std::to_string(server_.port());
  }

  using AnswerFunction = std::function<void(const net::HttpRequest&, net::HttpResponse&)>;
  // One of the paths above; before anything is asked.
  void Answer(const std::string& path, AnswerFunction answer) {
    answers_[path] = std::move(answer);
  }
  StatusOr<Session> Ask(const nlohmann::json& credentials) { return AskText(credentials.dump()); }
  StatusOr<Session> AskText(const std::string& credentials) {
    GoogleAuthOptions options;
    options.credentials = credentials;
    options.variables = [this](const std::string& name) -> std::optional<std::string> {
      const auto it = variables_.find(name);
      if (it == variables_.end()) return std::nullopt;
      return it->second;
    };
    ASSIGN_OR_RETURN(const KeptSession::Ask ask,
                     AskForGoogleToken(std::move(options), Clock::System()));
    return ask(Context::Background());
  }
  nlohmann::json User() const {
    return {{"type", "authorized_user"},
            {"client_id", "c"},
            {"client_secret", "s"},
            {"refresh_token", "r"},
            {"token_uri", url_ + "/token"}};
  }
  static net::HttpServerOptions AnyPort() {
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    return options;
  }

  TemporaryDirectory directory_;
  std::map<std::string, std::string> variables_;
  std::map<std::string, AnswerFunction> answers_;
  net::HttpServer server_{AnyPort(), Logger(), nullptr};
  std::string url_;
};

void WriteToken(net::HttpResponse& response, std::string_view token) {
  response.Write(fmt::format(R"({{"access_token": "{}", "expires_in": 3600}})", token));
}

TEST_F(GoogleTokenTest, AnAccountTradesItsAssertion) {
  Answer("/token", [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Param("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    EXPECT_THAT(std::string(request.Param("assertion")), HasSubstr("."));
    WriteToken(response, "t");
  });
  const StatusOr<Session> session = Ask({{"type", "service_account"},
                                         {"client_email", "me@project"},
                                         {"private_key", kKey},
                                         {"token_uri", url_ + "/token"}});
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(session->token, "t");
  EXPECT_NEAR(static_cast<double>(session->expires_ms),
              static_cast<double>(Clock::System().NowMs() + 3'600'000), 60'000);
}

TEST_F(GoogleTokenTest, TheDefaultIsTheNamedFileThenGcloudsThenTheMachine) {
  Answer("/token", [](const net::HttpRequest& request, net::HttpResponse& response) {
    WriteToken(response, request.Param("refresh_token"));
  });
  Answer(kMetadataPath, [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Header("Metadata-Flavor"), "Google");
    WriteToken(response, "machine");
  });
  variables_["GCE_METADATA_HOST"] = url_.substr(7);
  EXPECT_EQ(AskText("")->token, "machine");
  // A file that can't be read.
  const std::string odd = directory_.File("odd");
  ASSERT_TRUE(std::filesystem::create_directories(odd + "/application_default_credentials.json"));
  variables_["CLOUDSDK_CONFIG"] = odd;
  EXPECT_EQ(AskText("")->token, "machine");
  variables_["CLOUDSDK_CONFIG"] = directory_.path();
  ASSERT_TRUE(
      WriteFileAtomically(directory_.File("application_default_credentials.json"), User().dump())
          .ok());
  EXPECT_EQ(AskText("")->token, "r");
  nlohmann::json named = User();
  named["refresh_token"] = "named";
  variables_["GOOGLE_APPLICATION_CREDENTIALS"] = directory_.File("named");
  EXPECT_TRUE(IsNotFound(AskText("").status()));  // and not the next in turn
  ASSERT_TRUE(WriteFileAtomically(directory_.File("named"), named.dump()).ok());
  EXPECT_EQ(AskText("")->token, "named");
}

TEST_F(GoogleTokenTest, AnExternalIdentityIsExchangedAndImpersonates) {
  ASSERT_TRUE(WriteFileAtomically(directory_.File("subject"), R"({"id": "subject"})").ok());
  Answer("/exchange", [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Param("grant_type"), "urn:ietf:params:oauth:grant-type:token-exchange");
    EXPECT_EQ(request.Param("audience"), "pool");
    EXPECT_EQ(request.Param("subject_token"), "subject");
    WriteToken(response, "federated");
  });
  Answer("/impersonate", [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Header("Authorization"), "Bearer federated");
    response.Write(R"({"accessToken": "account", "expireTime": "2100-01-01T00:00:00Z"})");
  });
  nlohmann::json external = {
      {"type", "external_account"},
      {"audience", "pool"},
      {"subject_token_type", "urn:ietf:params:oauth:token-type:jwt"},
      {"token_url", url_ + "/exchange"},
      {"credential_source",
       {{"file", directory_.File("subject")},
        {"format", {{"type", "json"}, {"subject_token_field_name", "id"}}}}}};
  EXPECT_EQ(Ask(external)->token, "federated");
  external["service_account_impersonation_url"] = url_ + "/impersonate";
  const StatusOr<Session> session = Ask(external);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(session->token, "account");
  EXPECT_EQ(session->expires_ms, 4'102'444'800'000);
}

TEST_F(GoogleTokenTest, AUserImpersonatesAnAccount) {
  Answer("/token", [](const net::HttpRequest&, net::HttpResponse& response) {
    WriteToken(response, "user");
  });
  Answer("/impersonate", [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Header("Authorization"), "Bearer user");
    response.Write(R"({"accessToken": "account", "expireTime": "2100-01-01T00:00:00Z"})");
  });
  EXPECT_EQ(Ask({{"type", "impersonated_service_account"},
                 {"service_account_impersonation_url", url_ + "/impersonate"},
                 {"source_credentials", User()}})
                ->token,
            "account");
}

TEST_F(GoogleTokenTest, ARefusalDoesNotRepeatWhatTheUrlHides) {
  Answer("/token",
         [](const net::HttpRequest&, net::HttpResponse& response) { response.SetStatus(400); });
  nlohmann::json user = User();
  user["token_uri"] = "http://me:hidden@" + url_.substr(7) + "/token?key=hidden";
  const Status status = Ask(user).status();
  EXPECT_EQ(status.code(), StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/token"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hidden")));
}

TEST_F(GoogleTokenTest, RefusesCredentialsOfAnotherForm) {
  nlohmann::json nested = User();
  for (int i = 0; i < 5; ++i) {
    nested = {{"type", "impersonated_service_account"},
              {"service_account_impersonation_url", "u"},
              {"source_credentials", nested}};
  }
  struct Case {
    std::string text;
    std::string message;
  };
  const Case cases[] = {
      {"secret", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{}", "type '' is not supported"},
      {R"({"type": "gdch_service_account"})", "gdch_service_account"},
      {R"({"type": "service_account", "client_email": "e"})", "private_key is not given"},
      {R"({"type": "authorized_user", "client_id": 1})", "client_id is not given"},
      {R"({"type": "external_account", "audience": "a", "subject_token_type": "s",
           "token_url": "u", "credential_source": {"environment_id": "aws1"}})",
       "neither file nor url"},
      {R"({"type": "authorized_user", "universe_domain": "other.example"})", "other.example"},
      {nested.dump(), "nested too deeply"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const Status status = AskText(c.text).status();
    EXPECT_FALSE(status.ok());
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace aevum::objstore
