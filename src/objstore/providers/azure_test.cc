#include <atomic>

#include <gmock/gmock.h>

#include "net/http/server.h"
#include "net/url.h"
#include "objstore/config/factory.h"
#include "objstore/signing/digest.h"
#include "objstore/testing/acceptance.h"
#include "objstore/testing/emulator.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

// A key of the right form that is not the account's.
const std::string kWrongKey = Base64(std::string(64, 'x'));

std::string NewContainerName() {
  static std::atomic<int> number = 0;
  return fmt::format("container-{}", ++number);
}

StatusOr<std::shared_ptr<Bucket>> OpenConfig(const std::string& config,
                                             ProviderEnvironment environment = {}) {
  environment.list_page = 10;
  ASSIGN_OR_RETURN(std::unique_ptr<Bucket> bucket,
                   OpenBucket("type: azure\nconfig:\n" + config, environment));
  return std::shared_ptr<Bucket>(std::move(bucket));
}

// How Azurite is found and asked over HTTP.
std::string ConnectionString(const std::string& address, const std::string& proof) {
  return fmt::format("BlobEndpoint=http://{}/{};AccountName={};{}", address, Emulator::kAccount,
                     Emulator::kAccount, proof);
}

StatusOr<std::shared_ptr<Bucket>> OpenWith(const std::string& proof, const std::string& container) {
  const auto& azurite = Emulator::Shared(Emulator::Kind::kAzurite);
  RETURN_IF_ERROR(azurite.status());
  return OpenConfig(
      fmt::format("  storage_account: {}\n  container: {}\n  storage_connection_string: '{}'\n"
                  "  max_retries: 3\n",
                  Emulator::kAccount, container, ConnectionString((*azurite)->address(), proof)));
}

// A signature for the whole account, of all rights, until 2100.
std::string AccountSas(const std::string& key) {
  const std::string version = "2021-12-02";
  const std::string expires = "2100-01-01T00:00:00Z";
  const std::string text =
      fmt::format("{}\nrwdlacup\nb\nsco\n\n{}\n\n\n{}\n\n", Emulator::kAccount, expires, version);
  const std::string signature = Base64(Hmac(DigestKind::kSha256, *DecodeBase64(key), text));
  return fmt::format("SharedAccessSignature=?sv={}&ss=b&srt=sco&sp=rwdlacup&se={}&sig={}", version,
                     net::PercentEncode(expires), net::PercentEncode(signature));
}

std::string AccountKey(const std::string& key) { return "AccountKey=" + key; }

using Conditions = ProviderUnderTest::Conditions;
INSTANTIATE_TEST_SUITE_P(
    AzureKey, AcceptanceTest,
    ::testing::Values(ProviderUnderTest{
        [] { return OpenWith(AccountKey(Emulator::kAccountKey), NewContainerName()); },
        [] { return OpenWith(AccountKey(kWrongKey), NewContainerName()); }, Conditions::kAll,
        /*backslashes=*/false}));
INSTANTIATE_TEST_SUITE_P(
    AzureSas, AcceptanceTest,
    ::testing::Values(ProviderUnderTest{
        [] { return OpenWith(AccountSas(Emulator::kAccountKey), NewContainerName()); },
        [] { return OpenWith(AccountSas(kWrongKey), NewContainerName()); }, Conditions::kAll,
        /*backslashes=*/false}));

// Over TLS, with the account in the name of the host, as at Azure's.
StatusOr<std::shared_ptr<Bucket>> OpenTls(const std::string& proof,
                                          const ProviderEnvironment& environment = {}) {
  const auto& azurite = Emulator::Shared(Emulator::Kind::kAzuriteTls);
  RETURN_IF_ERROR(azurite.status());
  const std::string& address = (*azurite)->address();
  return OpenConfig(
      fmt::format("  storage_account: {}\n  container: {}\n"
                  "  endpoint: 'blob.localhost{}'\n{}"
                  "  http_config: {{tls_config: {{ca_file: '{}'}}}}\n",
                  Emulator::kAccount, NewContainerName(), address.substr(address.rfind(':')), proof,
                  (*azurite)->certificate()),
      environment);
}

TEST(AzureTest, AnswersOverTlsAtTheHostOfTheAccount) {
  const StatusOr<std::shared_ptr<Bucket>> bucket =
      OpenTls(fmt::format("  storage_account_key: '{}'\n", Emulator::kAccountKey));
  if (bucket.status().code() == StatusCode::kUnimplemented) {
    GTEST_SKIP() << bucket.status().message();
  }
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  const Context context = Context::Background();
  const Status uploaded = (*bucket)->Upload(context, "a/b", BytesSource("x"), {}).status();
  ASSERT_TRUE(uploaded.ok()) << uploaded;
  EXPECT_EQ(*(*bucket)->Get(context, "a/b"), "x");
}

// Azurite looks at who issued a token, for whom and until when, but not at its signature.
std::string Token(TimestampMs now, std::string_view audience) {
  const std::string claims = fmt::format(
      R"({{"aud":"{}","iss":"https://sts.windows.net/00000000-0000-0000-0000-000000000000/",)"
      R"("iat":{},"nbf":{},"exp":{}}})",
      audience, now / 1000 - 60, now / 1000 - 60, now / 1000 + 3600);
  return Base64Url(R"({"alg":"RS256","typ":"JWT"})") + "." + Base64Url(claims) + "." +
         Base64Url("signature");
}

TEST(AzureTest, AManagedIdentityIsAskedForTokens) {
  net::HttpServerOptions options;
  options.address = "127.0.0.1:0";
  net::HttpServer metadata(options, Logger(), nullptr);
  std::atomic<int> asked = 0;
  metadata.Handle(
      "", "/metadata/identity/oauth2/token", "token",
      [&](const Context&, const net::HttpRequest& request, net::HttpResponse& response) {
        ++asked;
        EXPECT_EQ(request.Header("Metadata"), "true");
        EXPECT_EQ(request.Param("client_id"), "me");
        response.Write(
            fmt::format(R"({{"access_token": "{}", "expires_in": "3600", "token_type": "Bearer"}})",
                        Token(Clock::System().NowMs(), request.Param("resource"))));
      });
  ASSERT_TRUE(metadata.Start().ok());
  ProviderEnvironment environment;
  environment.variables = [&](const std::string& name) -> std::optional<std::string> {
    if (name != "AZURE_POD_IDENTITY_AUTHORITY_HOST") return std::nullopt;
    return "http://127.0.0.1:" + std::to_string(metadata.port());
  };
  const StatusOr<std::shared_ptr<Bucket>> bucket = OpenTls("  user_assigned_id: me\n", environment);
  if (bucket.status().code() == StatusCode::kUnimplemented) {
    GTEST_SKIP() << bucket.status().message();
  }
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  const Context context = Context::Background();
  const Status uploaded = (*bucket)->Upload(context, "a", BytesSource("x"), {}).status();
  ASSERT_TRUE(uploaded.ok()) << uploaded;
  EXPECT_EQ(*(*bucket)->Get(context, "a"), "x");
  EXPECT_EQ(asked.load(), 1);
}

TEST(AzureTest, ContainersAreMadeOnlyWhenAsked) {
  const auto& azurite = Emulator::Shared(Emulator::Kind::kAzurite);
  if (azurite.status().code() == StatusCode::kUnimplemented) {
    GTEST_SKIP() << azurite.status().message();
  }
  ASSERT_TRUE(azurite.ok()) << azurite.status();
  const StatusOr<std::shared_ptr<Bucket>> bucket = OpenConfig(
      fmt::format("  storage_account: {}\n  container: {}\n  storage_connection_string: '{}'\n"
                  "  storage_create_container: false\n",
                  Emulator::kAccount, NewContainerName(),
                  ConnectionString((*azurite)->address(), AccountKey(Emulator::kAccountKey))));
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  const Context context = Context::Background();
  const auto visit = [](const ListedObject&) { return OkStatus(); };
  for (const Status& status :
       {(*bucket)->Iterate(context, "", {}, visit), (*bucket)->Get(context, "a").status(),
        (*bucket)->Attributes(context, "a").status(),
        (*bucket)->Upload(context, "a", BytesSource("1"), {}).status()}) {
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("ContainerNotFound"));
  }
}

}  // namespace
}  // namespace aevum::objstore
