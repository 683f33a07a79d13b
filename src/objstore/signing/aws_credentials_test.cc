#include "objstore/signing/aws_credentials.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "net/http/server.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

constexpr TimestampMs kExpires = 1'369'353'600'000;  // 2013-05-24T00:00:00Z

// A machine with variables, files, and one server for all that is asked over HTTP.
class AwsCredentialsChainTest : public ::testing::Test {
 protected:
  AwsCredentialsChainTest() : directory_(*TemporaryDirectory::Create()) {
    variables_ = {{"HOME", directory_.path()}, {"AWS_EC2_METADATA_DISABLED", "true"}};
  }

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
  StatusOr<Credentials> Get(const std::string& sts_endpoint = "") {
    AwsCredentialsOptions options;
    options.variables = [this](const std::string& name) -> std::optional<std::string> {
      const auto it = variables_.find(name);
      if (it == variables_.end()) return std::nullopt;
      return it->second;
    };
    options.sts_endpoint = sts_endpoint;
    return AwsCredentialsChain(std::move(options))->Get(Context::Background());
  }
  static net::HttpServerOptions AnyPort() {
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    return options;
  }

  TemporaryDirectory directory_;
  std::map<std::string, std::string> variables_;
  net::HttpServer server_{AnyPort(), Logger(), nullptr};
};

constexpr const char* kJson =
    R"({"AccessKeyId": "key", "SecretAccessKey": "secret", "Token": "token",)"
    R"( "Expiration": "2013-05-24T00:00:00Z"})";

void ExpectTemporary(const StatusOr<Credentials>& credentials) {
  ASSERT_TRUE(credentials.ok()) << credentials.status();
  EXPECT_EQ(credentials->access_key, "key");
  EXPECT_EQ(credentials->secret_key, "secret");
  EXPECT_EQ(credentials->session_token, "token");
  EXPECT_EQ(credentials->expires_ms, kExpires);
}

TEST_F(AwsCredentialsChainTest, SaysThatThereAreNone) {
  EXPECT_EQ(Get().status().code(), StatusCode::kUnauthenticated);
}

TEST_F(AwsCredentialsChainTest, TakesAProfileOfTheFileAndVariablesBeforeIt) {
  ASSERT_TRUE(WriteFileAtomically(directory_.File("keys"),
                                  "# mine\n[default]\naws_access_key_id = d\n"
                                  "aws_secret_access_key=ds\n[other]\r\n"
                                  "aws_access_key_id = o\r\naws_secret_access_key = os\r\n"
                                  "aws_session_token = ot=\r\n")
                  .ok());
  variables_["AWS_SHARED_CREDENTIALS_FILE"] = directory_.File("keys");
  EXPECT_EQ(Get()->access_key, "d");
  EXPECT_EQ(Get()->session_token, "");
  variables_["AWS_PROFILE"] = "other";
  EXPECT_EQ(Get()->secret_key, "os");
  EXPECT_EQ(Get()->session_token, "ot=");
  variables_["AWS_ACCESS_KEY_ID"] = "v";
  variables_["AWS_SECRET_ACCESS_KEY"] = "vs";
  EXPECT_EQ(Get()->access_key, "v");
  EXPECT_EQ(Get()->expires_ms, kMaxTime);
}

TEST_F(AwsCredentialsChainTest, TradesATokenForARole) {
  ASSERT_TRUE(WriteFileAtomically(directory_.File("token"), "a+b\n").ok());
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = directory_.File("token");
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/r";
  Answer("/sts", [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Param("Action"), "AssumeRoleWithWebIdentity");
    EXPECT_EQ(request.Param("RoleArn"), "arn:aws:iam::1:role/r");
    EXPECT_EQ(request.Param("WebIdentityToken"), "a+b");
    response.Write(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
        "<AccessKeyId>key</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
        "<SessionToken>token</SessionToken><Expiration>2013-05-24T00:00:00Z</Expiration>"
        "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>");
  });
  ExpectTemporary(Get(StartServer() + "/sts"));
}

TEST_F(AwsCredentialsChainTest, AsksTheContainer) {
  Answer("/container", [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Header("Authorization"), "pass");
    response.Write(kJson);
  });
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = StartServer() + "/container";
  ASSERT_TRUE(WriteFileAtomically(directory_.File("pass"), "pass\n").ok());
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = directory_.File("pass");
  ExpectTemporary(Get());
}

TEST_F(AwsCredentialsChainTest, AsksTheMachineWithAToken) {
  Answer("/latest/api/token", [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.method, "PUT");
    response.Write("t");
  });
  const std::string roles = "/latest/meta-data/iam/security-credentials/";
  Answer(roles, [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Header("X-aws-ec2-metadata-token"), "t");
    response.Write("role\n");
  });
  Answer(roles + "role", [](const net::HttpRequest& request, net::HttpResponse& response) {
    EXPECT_EQ(request.Header("X-aws-ec2-metadata-token"), "t");
    response.Write(kJson);
  });
  variables_.erase("AWS_EC2_METADATA_DISABLED");
  variables_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = StartServer() + "/";
  ExpectTemporary(Get());
}

TEST_F(AwsCredentialsChainTest, AnErrorOfASourceIsNotHidden) {
  Answer("/container", [](const net::HttpRequest&, net::HttpResponse& response) {
    response.SetStatus(403);
    response.Write("secret text");
  });
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = StartServer() + "/container";
  const Status status = Get().status();
  EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/container answers 403"));
}

}  // namespace
}  // namespace aevum::objstore
