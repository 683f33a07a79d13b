#include "objstore/signing/azure_auth.h"

#include <atomic>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "net/http/server.h"
#include "objstore/signing/digest.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr TimestampMs kNow = 1'435'361'952'000;  // Fri, 26 Jun 2015 23:39:12 GMT

// The text and the request are those of Azure's documentation, "Authorize with Shared Key".
TEST(AzureKeySignerTest, SignsTheTextOfTheDocumentation) {
  const auto signer = AzureKeySigner::Create("myaccount", Base64("key"), Clock::System());
  ASSERT_TRUE(signer.ok()) << signer.status();
  RestRequest request;
  request.path = "/mycontainer";
  request.query = {{"comp", "metadata"}, {"restype", "container"}, {"timeout", "20"}};
  request.headers = {{"x-ms-version", "2015-02-21"},
                     {"x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"}};
  EXPECT_EQ((*signer)->TextToSign(request),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
            "x-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\nrestype:container\n"
            "timeout:20");
}

TEST(AzureKeySignerTest, SignsWhatTellsOfTheBody) {
  const auto signer = AzureKeySigner::Create("a", Base64("key"), Clock::System());
  RestRequest request;
  request.method = "PUT";
  request.path = "/c/b";
  request.body = "hello world";
  request.headers = {{"Content-Type", "text/plain"},
                     {"Content-MD5", "md5"},
                     {"If-Match", "\"v\""},
                     {"Range", "bytes=0-1"},
                     {"X-Ms-Blob-Type", " BlockBlob "}};
  EXPECT_EQ((*signer)->TextToSign(request),
            "PUT\n\n\n11\nmd5\ntext/plain\n\n\n\"v\"\n\n\nbytes=0-1\nx-ms-blob-type:BlockBlob\n"
            "/a/c/b");
}

TEST(AzureKeySignerTest, RefusesAKeyThatIsNone) {
  const Status status = AzureKeySigner::Create("a", "secret!", Clock::System()).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
}

TEST(AzureSasSignerTest, AddsItsParameters) {
  const auto signer = AzureSasSigner::Create("?sv=1&sig=a%2Bb%3D");
  ASSERT_TRUE(signer.ok()) << signer.status();
  RestRequest request;
  request.query = {{"comp", "list"}};
  ASSERT_TRUE((*signer)->Sign(Context::Background(), request).ok());
  EXPECT_EQ(request.Target(), "/?comp=list&sv=1&sig=a%2Bb%3D");
  EXPECT_FALSE(AzureSasSigner::Create("sv=1").ok());
  EXPECT_FALSE(AzureSasSigner::Create("sig=%2").ok());
}

// A machine with variables, files, and one server for all that is asked over HTTP.
class AzureTokenTest : public ::testing::Test {
 protected:
  void Answer(const std::string& path,
              std::function<void(const net::HttpRequest&, net::HttpResponse&)> answer) {
    server_.Handle("", path, path,
                   [answer](const Context&, const net::HttpRequest& request,
                            net::HttpResponse& response) { answer(request, response); });
  }
  std::string StartServer() {
    EXPECT_TRUE(server_.Start().ok());
    return "http://127.0.0.1:" + std::to_string(server_.port());
  }
  StatusOr<Session> Ask(const AzureIdentity& identity) {
    const Environment variables = [this](const std::string& name) -> std::optional<std::string> {
      const auto it = variables_.find(name);
      if (it == variables_.end()) return std::nullopt;
      return it->second;
    };
    return AskForAzureToken(identity, variables, {}, Clock::System())(Context::Background());
  }
  static net::HttpServerOptions AnyPort() {
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    return options;
  }

  std::map<std::string, std::string> variables_;
  net::HttpServer server_{AnyPort(), Logger(), nullptr};
};

void ExpectToken(const StatusOr<Session>& session) {
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(session->token, "t");
  EXPECT_NEAR(static_cast<double>(session->expires_ms),
              static_cast<double>(Clock::System().NowMs() + 3'600'000), 60'000);
}

TEST_F(AzureTokenTest, APrincipalAsksWithItsSecret) {
  Answer("/tenant/oauth2/v2.0/token",
         [](const net::HttpRequest& request, net::HttpResponse& response) {
           EXPECT_EQ(request.method, "POST");
           EXPECT_EQ(request.Param("grant_type"), "client_credentials");
           EXPECT_EQ(request.Param("client_id"), "me");
           EXPECT_EQ(request.Param("client_secret"), "a+b");
           EXPECT_EQ(request.Param("scope"), "https://storage.azure.com/.default");
           response.Write(R"({"token_type":"Bearer","expires_in":3600,"access_token":"t"})");
         });
  variables_["AZURE_AUTHORITY_HOST"] = StartServer() + "/";
  AzureIdentity identity;
  identity.tenant_id = "tenant";
  identity.client_id = "me";
  identity.client_secret = "a+b";
  ExpectToken(Ask(identity));
  // The same out of variables.
  variables_["AZURE_TENANT_ID"] = "tenant";
  variables_["AZURE_CLIENT_ID"] = "me";
  variables_["AZURE_CLIENT_SECRET"] = "a+b";
  ExpectToken(Ask({}));
}

TEST_F(AzureTokenTest, AWorkloadTradesTheTokenOfAFile) {
  const StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(WriteFileAtomically(directory->File("token"), "assertion\n").ok());
  Answer("/tenant/oauth2/v2.0/token",
         [](const net::HttpRequest& request, net::HttpResponse& response) {
           EXPECT_EQ(request.Param("client_assertion"), "assertion");
           EXPECT_EQ(request.Param("client_assertion_type"),
                     "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
           EXPECT_FALSE(request.HasParam("client_secret"));
           response.Write(R"({"expires_in":3600,"access_token":"t"})");
         });
  variables_["AZURE_AUTHORITY_HOST"] = StartServer();
  variables_["AZURE_TENANT_ID"] = "tenant";
  variables_["AZURE_CLIENT_ID"] = "me";
  variables_["AZURE_FEDERATED_TOKEN_FILE"] = directory->File("token");
  ExpectToken(Ask({}));
}

TEST_F(AzureTokenTest, AnAppServiceTellsWhenATokenEnds) {
  std::atomic<int> asked = 0;
  Answer("/msi/token", [&](const net::HttpRequest& request, net::HttpResponse& response) {
    // It is being updated.
    if (++asked < 3) return response.SetStatus(asked == 1 ? 404 : 410);
    EXPECT_EQ(request.Header("X-IDENTITY-HEADER"), "header");
    EXPECT_EQ(request.Param("api-version"), "2019-08-01");
    EXPECT_EQ(request.Param("resource"), "https://storage.azure.com/");
    EXPECT_EQ(request.Param("client_id"), "mine");
    response.Write(fmt::format(R"({{"expires_on":"{}","access_token":"t"}})",
                               Clock::System().NowMs() / 1000 + 3600));
  });
  variables_["IDENTITY_ENDPOINT"] = StartServer() + "/msi/token";
  variables_["IDENTITY_HEADER"] = "header";
  variables_["AZURE_CLIENT_ID"] = "mine";
  ExpectToken(Ask({}));
}

TEST_F(AzureTokenTest, ARefusalSaysWhyAndIsNoCredential) {
  Answer("/t/oauth2/v2.0/token", [](const net::HttpRequest&, net::HttpResponse& response) {
    response.SetStatus(401);
    response.Write(R"({"error":"invalid_client","error_description":"wrong\nsecret"})");
  });
  variables_["AZURE_AUTHORITY_HOST"] = StartServer();
  AzureIdentity identity;
  identity.tenant_id = "t";
  identity.client_id = "me";
  identity.client_secret = "hidden";
  const Status status = Ask(identity).status();
  EXPECT_EQ(status.code(), StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("invalid_client wrong secret"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hidden")));
}

TEST_F(AzureTokenTest, AnAnswerWithoutATokenIsAnError) {
  std::string body;
  Answer("/t/oauth2/v2.0/token",
         [&](const net::HttpRequest&, net::HttpResponse& response) { response.Write(body); });
  variables_["AZURE_AUTHORITY_HOST"] = StartServer();
  AzureIdentity identity;
  identity.tenant_id = "t";
  identity.client_id = "me";
  identity.client_secret = "s";
  for (const char* text : {"", "{}", R"({"access_token":"","expires_in":1})",
                           R"({"access_token":"t"})", R"({"access_token":"t","expires_in":"x"})"}) {
    body = text;
    EXPECT_EQ(Ask(identity).status().code(), StatusCode::kInternal) << text;
  }
}

}  // namespace
}  // namespace aevum::objstore
