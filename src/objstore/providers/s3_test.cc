#include <atomic>

#include "objstore/config/factory.h"
#include "objstore/rest/answers.h"
#include "objstore/signing/aws_v4.h"
#include "objstore/testing/acceptance.h"
#include "objstore/testing/object_server.h"

namespace aevum::objstore {
namespace {

std::string NewBucketName() {
  static std::atomic<int> number = 0;
  return fmt::format("s3-bucket-{}", ++number);
}

Status MakeBucket(const std::string& address, const std::string& name) {
  RestClientOptions options;
  options.scheme = "http";
  options.host = address;
  options.read_error = ReadXmlError;
  const auto credentials = std::make_shared<FixedCredentials>(
      Credentials{ObjectServer::kUser, ObjectServer::kKey, "", kMaxTime});
  RestClient client(
      options, std::make_shared<AwsV4Signer>(
                   credentials, [](const Context&) -> StatusOr<std::string> { return "us-east-1"; },
                   false, Clock::System()));
  RestRequest request;
  request.method = "PUT";
  request.path = "/" + name;
  return client.Do(Context::Background(), request, name).status();
}

StatusOr<std::shared_ptr<Bucket>> Open(const std::string& key, const std::string& more) {
  RETURN_IF_ERROR(ObjectServer::Shared().status());
  const std::string& address = (*ObjectServer::Shared())->address();
  const std::string name = NewBucketName();
  RETURN_IF_ERROR(MakeBucket(address, name));
  ProviderEnvironment environment;
  environment.list_page = 10;
  ASSIGN_OR_RETURN(
      std::unique_ptr<Bucket> bucket,
      OpenBucket(fmt::format("type: s3\nconfig:\n  bucket: {}\n  endpoint: {}\n  insecure: true\n"
                             "  access_key: {}\n  secret_key: {}\n  part_size: 5242880\n{}",
                             name, address, ObjectServer::kUser, key, more),
                 environment));
  return std::shared_ptr<Bucket>(std::move(bucket));
}

ProviderUnderTest WithSettings(const std::string& more) {
  return {[more] { return Open(ObjectServer::kKey, more); }, [more] { return Open("wrong", more); },
          ProviderUnderTest::Conditions::kNone};
}

// Asks the store for its region.
INSTANTIATE_TEST_SUITE_P(S3, AcceptanceTest, ::testing::Values(WithSettings("")));
INSTANTIATE_TEST_SUITE_P(
    S3OldUnderAPrefix, AcceptanceTest,
    ::testing::Values(WithSettings("  region: us-east-1\n  list_objects_version: v1\n"
                                   "  signature_version2: true\n  send_content_md5: false\n"
                                   "prefix: /a/b/\n")));

// This store refuses conditions, and an upload that should have one must not be done without.
TEST(S3Test, AConditionThatTheStoreDoesNotKnowIsAnError) {
  const StatusOr<std::shared_ptr<Bucket>> bucket = Open(ObjectServer::kKey, "");
  if (bucket.status().code() == StatusCode::kUnimplemented) {
    GTEST_SKIP() << bucket.status().message();
  }
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  const Context context = Context::Background();
  UploadOptions options;
  options.condition = UploadCondition::kIfAbsent;
  const Status status = (*bucket)->Upload(context, "lease", BytesSource("1"), options).status();
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << status;
  EXPECT_FALSE(*(*bucket)->Exists(context, "lease"));
}

TEST(S3Test, AMissingBucketIsNoEmptyBucket) {
  if (ObjectServer::Shared().status().code() == StatusCode::kUnimplemented) {
    GTEST_SKIP() << ObjectServer::Shared().status().message();
  }
  ASSERT_TRUE(ObjectServer::Shared().ok()) << ObjectServer::Shared().status();
  const StatusOr<std::unique_ptr<Bucket>> bucket = OpenBucket(fmt::format(
      "type: S3\nconfig: {{bucket: no-such-bucket, endpoint: '{}', insecure: true, region: "
      "us-east-1, access_key: '{}', secret_key: '{}'}}",
      (*ObjectServer::Shared())->address(), ObjectServer::kUser, ObjectServer::kKey));
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  const Context context = Context::Background();
  const auto visit = [](const ListedObject&) { return OkStatus(); };
  const Status listed = (*bucket)->Iterate(context, "", {}, visit);
  EXPECT_EQ(listed.code(), StatusCode::kFailedPrecondition) << listed;
}

}  // namespace
}  // namespace aevum::objstore
