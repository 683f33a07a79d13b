#include <atomic>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>

#include "objstore/config/factory.h"
#include "objstore/testing/acceptance.h"
#include "objstore/testing/cloud_server.h"

namespace aevum::objstore {
namespace {

using ::testing::HasSubstr;

std::string NewBucketName() {
  static std::atomic<int> number = 0;
  return fmt::format("bucket-{}", ++number);
}

StatusOr<std::shared_ptr<Bucket>> OpenWith(const std::string& yaml, Environment variables = {}) {
  ProviderEnvironment environment;
  environment.list_page = 10;
  environment.part_size_bytes = 6 << 20;
  if (variables) environment.variables = std::move(variables);
  environment.oci_endpoint =
      fmt::format("http://127.0.0.1:{}", (*CloudServer::Shared())->port("OCI"));
  ASSIGN_OR_RETURN(std::unique_ptr<Bucket> bucket, OpenBucket(yaml, environment));
  return std::shared_ptr<Bucket>(std::move(bucket));
}

// `fields` has places for bucket, port and secret.
ProviderUnderTest Cloud(const std::string& provider, const std::string& fields) {
  const auto open = [provider, fields](const std::string& secret) {
    return [provider, fields, secret]() -> StatusOr<std::shared_ptr<Bucket>> {
      RETURN_IF_ERROR(CloudServer::Shared().status());
      return OpenWith(fmt::format("type: {}\nconfig: {{{}}}\n", provider,
                                  fmt::format(fmt::runtime(fields), NewBucketName(),
                                              (*CloudServer::Shared())->port(provider), secret)));
    };
  };
  return {open(CloudServer::kSecret), open("wrong"), ProviderUnderTest::Conditions::kNone};
}

INSTANTIATE_TEST_SUITE_P(Cos, AcceptanceTest,
                         ::testing::Values(Cloud("COS",
                                                 "endpoint: 'http://{0}.localhost:{1}', "
                                                 "secret_id: test-key, secret_key: {2}")));
INSTANTIATE_TEST_SUITE_P(
    AliyunOss, AcceptanceTest,
    ::testing::Values(Cloud("ALIYUNOSS",
                            "bucket: {0}, endpoint: 'localhost:{1}', access_key_id: "
                            "test-key, access_key_secret: {2}")));
INSTANTIATE_TEST_SUITE_P(
    Obs, AcceptanceTest,
    ::testing::Values(Cloud("OBS",
                            "bucket: {0}, endpoint: 'http://localhost:{1}', access_key: "
                            "test-key, secret_key: {2}")));
INSTANTIATE_TEST_SUITE_P(
    Bos, AcceptanceTest,
    ::testing::Values(Cloud("BOS",
                            "bucket: {0}, endpoint: 'localhost:{1}', access_key: test-key, "
                            "secret_key: {2}")));

std::string OciYaml(const std::string& bucket, const std::string& fields) {
  return fmt::format("type: OCI\nconfig:\n  bucket: {}\n  compartment_ocid: c\n{}", bucket, fields);
}

std::string RawFields(const std::string& user, const std::string& key_file,
                      const std::string& passphrase) {
  std::string key = *ReadFile(CloudServer::OciFile(key_file));
  for (std::size_t at = key.find('\n'); at != std::string::npos; at = key.find('\n', at + 2)) {
    key.replace(at, 1, "\\n");
  }
  return fmt::format(
      "  provider: raw\n  tenancy_ocid: {}\n  user_ocid: {}\n  region: fra\n  fingerprint: "
      "'{}'\n  privatekey: \"{}\"\n  passphrase: '{}'\n",
      CloudServer::kOciTenancy, user, CloudServer::kOciFingerprint, key, passphrase);
}

StatusOr<std::shared_ptr<Bucket>> OpenOciAs(const std::string& user) {
  RETURN_IF_ERROR(CloudServer::Shared().status());
  return OpenWith(OciYaml(NewBucketName(), RawFields(user, "key.pem", "")));
}

INSTANTIATE_TEST_SUITE_P(Oci, AcceptanceTest,
                         ::testing::Values(ProviderUnderTest{
                             [] { return OpenOciAs(CloudServer::kOciUser); },
                             [] { return OpenOciAs("ocid1.user.oc1..other"); },
                             ProviderUnderTest::Conditions::kAll}));

class OciIdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (CloudServer::Shared().status().code() == StatusCode::kUnimplemented) {
      GTEST_SKIP() << CloudServer::Shared().status().message();
    }
    ASSERT_TRUE(CloudServer::Shared().ok()) << CloudServer::Shared().status();
  }
  // What an upload with this configuration and these variables comes to.
  static Status Upload(const std::string& fields,
                       const std::map<std::string, std::string>& variables) {
    const Environment environment =
        [variables](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    ASSIGN_OR_RETURN(const std::shared_ptr<Bucket> bucket,
                     OpenWith(OciYaml(NewBucketName(), fields), environment));
    const Context context = Context::Background();
    RETURN_IF_ERROR(bucket->Upload(context, "a", BytesSource("1"), {}).status());
    return bucket->Get(context, "a").status();
  }
};

TEST_F(OciIdentityTest, AKeyMayHaveAPassphrase) {
  const Status status =
      Upload(RawFields(CloudServer::kOciUser, "encrypted_key.pem", "test-passphrase"), {});
  EXPECT_TRUE(status.ok()) << status;
  const Status wrong = Upload(RawFields(CloudServer::kOciUser, "encrypted_key.pem", "other"), {});
  EXPECT_EQ(wrong.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(wrong.message()),
              HasSubstr("privatekey: the private key is not PEM, or"));
}

TEST_F(OciIdentityTest, TheMachineIsAskedWhoItIs) {
  const std::string server =
      fmt::format("http://127.0.0.1:{}", (*CloudServer::Shared())->port("OCI"));
  const Status status = Upload(
      "  provider: instance-principal\n",
      {{"OCI_METADATA_BASE_URL", server + "/opc/v2"}, {"OCI_SDK_AUTH_CLIENT_REGION_URL", server}});
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(OciIdentityTest, TheProfileIsReadFromFileAndVariables) {
  const StatusOr<TemporaryDirectory> home = TemporaryDirectory::Create();
  ASSERT_TRUE(home.ok());
  std::filesystem::create_directory(home->File(".oci"));
  ASSERT_TRUE(WriteFileAtomically(home->File(".oci/config"),
                                  fmt::format("[OTHER]\nuser=x\n[DEFAULT]\nuser = {}\n"
                                              "fingerprint={}\ntenancy={}\nregion=eu-frankfurt-1\n"
                                              "pass_phrase=test-passphrase\n",
                                              CloudServer::kOciUser, CloudServer::kOciFingerprint,
                                              CloudServer::kOciTenancy))
                  .ok());
  const std::map<std::string, std::string> variables = {
      {"HOME", home->path()},
      {"TF_VAR_private_key_path", CloudServer::OciFile("encrypted_key.pem")},
      {"TF_VAR_user_ocid", "of the file, not this"}};
  const Status status = Upload("  provider: default\n", variables);
  EXPECT_TRUE(status.ok()) << status;
  const Status missing = Upload("", {{"HOME", home->path()}});
  EXPECT_EQ(missing.code(), StatusCode::kUnauthenticated);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("lacks key_file"));
}

TEST(CloudsTest, AMissingBucketIsNoEmptyBucket) {
  if (CloudServer::Shared().status().code() == StatusCode::kUnimplemented) {
    GTEST_SKIP() << CloudServer::Shared().status().message();
  }
  ASSERT_TRUE(CloudServer::Shared().ok()) << CloudServer::Shared().status();
  const CloudServer& server = **CloudServer::Shared();
  const std::string keys = "access_key: test-key, secret_key: test-secret";
  for (const std::string& yaml :
       {fmt::format("type: COS\nconfig: {{endpoint: 'http://none.localhost:{}', secret_id: "
                    "test-key, secret_key: test-secret}}",
                    server.port("COS")),
        fmt::format("type: BOS\nconfig: {{bucket: none, endpoint: 'localhost:{}', {}}}",
                    server.port("BOS"), keys),
        fmt::format("type: OBS\nconfig: {{bucket: none, endpoint: 'http://localhost:{}', {}}}",
                    server.port("OBS"), keys),
        OciYaml("none", RawFields(CloudServer::kOciUser, "key.pem", ""))}) {
    SCOPED_TRACE(yaml.substr(0, 10));
    const StatusOr<std::shared_ptr<Bucket>> bucket = OpenWith(yaml);
    ASSERT_TRUE(bucket.ok()) << bucket.status();
    const auto visit = [](const ListedObject&) { return OkStatus(); };
    EXPECT_EQ((*bucket)->Iterate(Context::Background(), "", {}, visit).code(),
              StatusCode::kFailedPrecondition);
    EXPECT_EQ((*bucket)->Get(Context::Background(), "a").status().code(),
              StatusCode::kFailedPrecondition);
  }
}

}  // namespace
}  // namespace aevum::objstore
