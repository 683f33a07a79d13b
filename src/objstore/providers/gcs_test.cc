#include <atomic>

#include "net/http/client.h"
#include "objstore/config/factory.h"
#include "objstore/testing/acceptance.h"
#include "objstore/testing/emulator.h"

namespace aevum::objstore {
namespace {

ProviderEnvironment EnvironmentOf(const std::string& address) {
  ProviderEnvironment environment;
  environment.list_page = 10;
  environment.variables = [address](const std::string& name) -> std::optional<std::string> {
    if (name == "STORAGE_EMULATOR_HOST") return address;
    return std::nullopt;
  };
  return environment;
}

Status MakeBucket(const std::string& address, const std::string& name) {
  net::HttpClient http({});
  net::HttpClientRequest request;
  request.method = "POST";
  request.url = "http://" + address + "/storage/v1/b?project=test";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = fmt::format(R"({{"name": "{}"}})", name);
  ASSIGN_OR_RETURN(const net::HttpClientResponse response, http.Do(Context::Background(), request));
  return response.status == 200 ? OkStatus() : Internal("bucket: {}", response.body);
}

StatusOr<std::shared_ptr<Bucket>> Open(const std::string& more) {
  const auto& emulator = Emulator::Shared(Emulator::Kind::kFakeGcs);
  RETURN_IF_ERROR(emulator.status());
  const std::string& address = (*emulator)->address();
  static std::atomic<int> number = 0;
  const std::string name = fmt::format("bucket-{}", ++number);
  RETURN_IF_ERROR(MakeBucket(address, name));
  ASSIGN_OR_RETURN(
      std::unique_ptr<Bucket> bucket,
      OpenBucket("type: gcs\nconfig:\n  bucket: " + name + "\n" + more, EnvironmentOf(address)));
  return std::shared_ptr<Bucket>(std::move(bucket));
}

ProviderUnderTest WithSettings(const std::string& more) {
  // This emulator knows no credentials.
  return {[more] { return Open(more); }, nullptr};
}

INSTANTIATE_TEST_SUITE_P(Gcs, AcceptanceTest,
                         ::testing::Values(WithSettings("  chunk_size_bytes: 5000000\n")));
INSTANTIATE_TEST_SUITE_P(GcsUnderAPrefix, AcceptanceTest,
                         ::testing::Values(WithSettings("  max_retries: 3\nprefix: /a/b/\n")));

TEST(GcsTest, AMissingBucketIsNoEmptyBucket) {
  const auto& emulator = Emulator::Shared(Emulator::Kind::kFakeGcs);
  if (emulator.status().code() == StatusCode::kUnimplemented) {
    GTEST_SKIP() << emulator.status().message();
  }
  ASSERT_TRUE(emulator.ok()) << emulator.status();
  const StatusOr<std::unique_ptr<Bucket>> bucket = OpenBucket(
      "type: GCS\nconfig: {bucket: no-such-bucket}", EnvironmentOf((*emulator)->address()));
  ASSERT_TRUE(bucket.ok()) << bucket.status();
  const Context context = Context::Background();
  const auto visit = [](const ListedObject&) { return OkStatus(); };
  const Status listed = (*bucket)->Iterate(context, "", {}, visit);
  EXPECT_EQ(listed.code(), StatusCode::kFailedPrecondition) << listed;
  const Status uploaded = (*bucket)->Upload(context, "a", BytesSource("1"), {}).status();
  EXPECT_EQ(uploaded.code(), StatusCode::kFailedPrecondition) << uploaded;
}

}  // namespace
}  // namespace aevum::objstore
