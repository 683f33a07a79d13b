#include "objstore/signing/oci_identity.h"

#include <atomic>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "net/http/server.h"
#include "objstore/signing/digest.h"
#include "objstore/signing/oci_regions.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

Environment Variables(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

// A token that ends at a time in seconds.
std::string Token(std::string_view end) {
  return fmt::format("e30.{}.c2ln", Base64Url(fmt::format(R"({{"exp": {}}})", end)));
}

TEST(OciRegionDomainTest, KnowsShortNamesAndRealms) {
  struct Case {
    std::string region;
    std::string domain;
  };
  const Case cases[] = {
      {"eu-frankfurt-1", "eu-frankfurt-1.oraclecloud.com"},
      {"FRA", "eu-frankfurt-1.oraclecloud.com"},
      {"phx", "us-phoenix-1.oraclecloud.com"},
      {"uk-gov-london-1", "uk-gov-london-1.oraclegovcloud.uk"},
      {"us-langley-1", "us-langley-1.oraclegovcloud.com"},
      {"new-region-1", "new-region-1.oraclecloud.com"},
      {"own-1.example.com", "own-1.example.com"},
  };
  for (const Case& c : cases) EXPECT_EQ(OciRegionDomain(c.region, Variables({})), c.domain);
  EXPECT_EQ(OciRegionDomain("new-1", Variables({{"OCI_DEFAULT_REALM", "oraclecloud42.com"}})),
            "new-1.oraclecloud42.com");
}

TEST(ExpiryOfTokenTest, ReadsTheClaims) {
  EXPECT_EQ(*ExpiryOfToken(Token("1480932292")), 1'480'932'292'000);
  for (const std::string& token :
       {std::string(), std::string("a.b"), std::string("a.!.c"), std::string("a.e30.c"),
        Token("-1"), Token("\"soon\""), Token("99999999999999999999")}) {
    EXPECT_EQ(ExpiryOfToken(token).status().code(), StatusCode::kInternal) << token;
  }
}

TEST(OciProfileTest, TakesATokenInPlaceOfAUser) {
  const StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  const std::string key = AEVUM_OBJSTORE_TESTDATA "/oci/key.pem";
  ASSERT_TRUE(WriteFileAtomically(directory->File("token"), Token("1480932292")).ok());
  ASSERT_TRUE(
      WriteFileAtomically(directory->File("config"),
                          fmt::format("[DEFAULT]\r\ntenancy=t\r\nfingerprint=f\r\nkey_file={}\r\n"
                                      "security_token_file=~/token\r\n",
                                      key))
          .ok());
  const OciIdentityOptions options{Variables({{"HOME", directory->path()},
                                              {"OCI_CONFIG_FILE", directory->File("config")},
                                              {"OCI_REGION", "fra"}}),
                                   {},
                                   Clock::System()};
  const StatusOr<OciIdentity> identity = OciProfile(options)(Context::Background());
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->key_id, "ST$" + Token("1480932292"));
  EXPECT_EQ(identity->expires_ms, 1'480'932'292'000);
  EXPECT_EQ(identity->region_domain, "eu-frankfurt-1.oraclecloud.com");
}

TEST(OciProfileTest, RefusesByNameWhatIsNotSupported) {
  const StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  ASSERT_TRUE(WriteFileAtomically(directory->File("config"),
                                  "[DEFAULT]\nauthentication_type=instance_principal\n"
                                  "delegation_token_file=/x\n")
                  .ok());
  const OciIdentityOptions options{
      Variables({{"HOME", "/none"}, {"OCI_CONFIG_FILE", directory->File("config")}}),
      {},
      Clock::System()};
  const Status status = OciProfile(options)(Context::Background()).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr("delegation_token_file"));
}

class OciWorkloadIdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(directory_.ok());
    ASSERT_TRUE(WriteFileAtomically(directory_->File("token"), "pod\n").ok());
    net::HttpServerOptions options;
    options.address = "127.0.0.1:0";
    server_ = std::make_unique<net::HttpServer>(options, Logger(), nullptr);
    server_->Handle(
        "POST", "/resourcePrincipalSessionTokens", "tokens",
        [this](const Context&, const net::HttpRequest& request, net::HttpResponse& response) {
          ++requests_;
          body_ = request.body;
          authorization_ = request.Header("Authorization");
          response.SetStatus(status_);
          response.Write(answer_);
        });
    ASSERT_TRUE(server_->Start().ok());
  }
  KeptOciIdentity::Ask Ask() {
    OciWorkload workload;
    workload.region = "fra";
    workload.account_folder = directory_->path();
    workload.url = "http://127.0.0.1:" + std::to_string(server_->port());
    return OciWorkloadIdentity({Variables({}), {}, clock_}, workload);
  }
  static std::string Answer(const std::string& token) {
    return nlohmann::json(Base64(nlohmann::json{{"token", token}}.dump())).dump();
  }

  const StatusOr<TemporaryDirectory> directory_ = TemporaryDirectory::Create();
  FakeClock clock_{1'480'900'000'000};
  int status_ = 200;
  std::string answer_;
  std::atomic<int> requests_ = 0;
  std::string body_;
  std::string authorization_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(OciWorkloadIdentityTest, ExchangesTheTokenOfThePodUntilItIsOld) {
  answer_ = Answer("ST$" + Token("1480932292"));
  KeptOciIdentity kept(Ask(), clock_, std::chrono::minutes(5));
  const StatusOr<OciIdentity> identity = kept.Get(Context::Background());
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->key_id, "ST$" + Token("1480932292"));
  EXPECT_EQ(identity->region_domain, "eu-frankfurt-1.oraclecloud.com");
  EXPECT_EQ(authorization_, "Bearer pod");
  const nlohmann::json body = nlohmann::json::parse(body_);
  EXPECT_EQ(body.at("podKey").get<std::string>(), Base64(*identity->key->PublicKeyDer()));
  ASSERT_TRUE(kept.Get(Context::Background()).ok());
  EXPECT_EQ(requests_.load(), 1);
  clock_.Set(1'480'932'292'000 - 5 * 60'000);
  ASSERT_TRUE(kept.Get(Context::Background()).ok());
  EXPECT_EQ(requests_.load(), 2);
}

TEST_F(OciWorkloadIdentityTest, RefusesWhatIsNoToken) {
  for (const std::string& answer :
       {std::string(), std::string("{}"), std::string("\"!\""), Answer("ST$x"), Answer("")}) {
    answer_ = answer;
    const Status status = Ask()(Context::Background()).status();
    EXPECT_FALSE(status.ok()) << answer;
  }
  status_ = 403;
  EXPECT_EQ(Ask()(Context::Background()).status().code(), StatusCode::kPermissionDenied);
}

TEST(OciPodTest, SaysWhenThereIsNoCluster) {
  const StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok());
  ASSERT_TRUE(WriteFileAtomically(directory->File("token"), "pod").ok());
  OciWorkload workload;
  workload.account_folder = directory->path();
  const Status status =
      OciWorkloadIdentity({Variables({}), {}, Clock::System()}, workload)(Context::Background())
          .status();
  EXPECT_EQ(status.code(), StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(status.message()), HasSubstr("KUBERNETES_SERVICE_HOST is not set"));
}

}  // namespace
}  // namespace aevum::objstore
