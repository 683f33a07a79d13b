#include "storegateway/store_gateway.h"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "objstore/testing/memory_bucket.h"
#include "storegateway/memory_index_cache.h"

namespace aevum::storegateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

constexpr TimestampMs kStart = 1'700'000'000'000;

// The block of src/tsdb/testdata under several ids, in a bucket in memory.
class StoreGatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = TemporaryDirectory::Create();
    ASSERT_TRUE(scratch.ok()) << scratch.status();
    scratch_ = std::make_unique<TemporaryDirectory>(*std::move(scratch));
  }

  void Put(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(bucket_->Upload(context_, name, objstore::BytesSource(bytes), {}).ok());
  }
  void UploadBlock(const std::string& id, const std::string& replica) {
    for (const char* name : {"index", "chunks/000001"}) {
      auto bytes = ReadFile(AEVUM_SOURCE_DIR "/src/tsdb/testdata/block/" + std::string(name));
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      Put(id + "/" + name, *bytes);
    }
    block::Meta meta;
    meta.ulid = *model::Ulid::Parse(id);
    meta.min_time = kStart;
    meta.max_time = kStart + 30'001;
    meta.compaction.level = 1;
    meta.compaction.sources = {meta.ulid};
    meta.thanos_version = 1;
    meta.labels = {{"cluster", "eu"}, {"replica", replica}};
    Put(id + "/meta.json", meta.Write());
  }

  std::unique_ptr<StoreGateway> Open(StoreGatewayOptions options = {}) {
    options.data_dir = scratch_->File("data");
    const auto metrics = std::make_shared<prometheus::Registry>();
    return std::make_unique<StoreGateway>(
        options, bucket_, std::make_shared<MemoryIndexCache>(cache::LruLimits{}, *metrics),
        Logger(), metrics);
  }
  std::vector<std::string> Replicas(StoreGateway& gateway) {
    wire::LabelValuesRequest request;
    request.label = "replica";
    request.start = kStart;
    request.end = kStart + 1000;
    request.matchers = {model::Matcher::Equal("job", "api")};
    const auto answer = gateway.store().LabelValues(context_, request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->strings : std::vector<std::string>();
  }
  bool HasHeader(const std::string& id) {
    return fs::exists(scratch_->File("data/" + id + "/index-header"));
  }

  const Context context_ = Context::Background();
  const std::string first_ = "01HF5Z6Q0000000000000000AA";
  const std::string second_ = "01HF5Z6Q0000000000000000AB";
  std::shared_ptr<objstore::MemoryBucket> bucket_ = std::make_shared<objstore::MemoryBucket>();
  std::unique_ptr<TemporaryDirectory> scratch_;
};

TEST_F(StoreGatewayTest, FollowsTheBucket) {
  UploadBlock(first_, "0");
  const auto gateway = Open();
  EXPECT_EQ(gateway->loaded().blocks, nullptr);
  ASSERT_TRUE(gateway->Sync(context_).ok());
  EXPECT_FALSE(HasHeader(first_)) << "before a request needs it";
  EXPECT_THAT(Replicas(*gateway), ElementsAre("0"));
  EXPECT_TRUE(HasHeader(first_));

  UploadBlock(second_, "1");
  ASSERT_TRUE(gateway->Sync(context_).ok());
  EXPECT_THAT(Replicas(*gateway), ElementsAre("0", "1"));

  ASSERT_TRUE(bucket_->Delete(context_, first_ + "/meta.json").ok());
  ASSERT_TRUE(gateway->Sync(context_).ok());
  EXPECT_THAT(Replicas(*gateway), ElementsAre("1"));
  EXPECT_FALSE(HasHeader(first_)) << "of a block that is gone";
  EXPECT_TRUE(HasHeader(second_));
}

TEST_F(StoreGatewayTest, ServesTheRestWhenABlockIsDamaged) {
  UploadBlock(first_, "0");
  Put(second_ + "/meta.json", "{");
  const auto gateway = Open();
  ASSERT_TRUE(gateway->Sync(context_).ok());
  EXPECT_THAT(Replicas(*gateway), ElementsAre("0"));
  EXPECT_EQ(gateway->loaded().blocks->partial.size(), 1U);
}

TEST_F(StoreGatewayTest, MakesADamagedHeaderAnew) {
  UploadBlock(first_, "0");
  {
    const auto gateway = Open();
    ASSERT_TRUE(gateway->Sync(context_).ok());
    EXPECT_THAT(Replicas(*gateway), ElementsAre("0"));
  }
  const std::string header = scratch_->File("data/" + first_ + "/index-header");
  auto bytes = ReadFile(header);
  ASSERT_TRUE(bytes.ok());
  const std::string whole = *bytes;
  (*bytes)[30] = static_cast<char>((*bytes)[30] ^ 1);
  ASSERT_TRUE(WriteFileAtomically(header, *bytes).ok());
  const auto gateway = Open();
  ASSERT_TRUE(gateway->Sync(context_).ok());
  EXPECT_THAT(Replicas(*gateway), ElementsAre("0"));
  EXPECT_EQ(*ReadFile(header), whole);
}

TEST_F(StoreGatewayTest, ServesWhatTheFlagsSay) {
  UploadBlock(first_, "0");
  UploadBlock(second_, "1");
  StoreGatewayOptions options;
  options.selector =
      *model::Relabeler::Parse("[{source_labels: [replica], regex: '1', action: keep}]");
  const auto one = Open(options);
  ASSERT_TRUE(one->Sync(context_).ok());
  EXPECT_THAT(Replicas(*one), ElementsAre("1"));

  options = {};
  options.max_time = *TimeOrDuration::Parse("2023-11-14T22:13:10Z");  // before the block begins
  const auto none = Open(options);
  ASSERT_TRUE(none->Sync(context_).ok());
  EXPECT_THAT(Replicas(*none), IsEmpty());
}

TEST_F(StoreGatewayTest, IsReadyOnceTheBucketWasLookedAt) {
  UploadBlock(first_, "0");
  const auto gateway = Open();
  Mutex mutex;
  std::condition_variable changed;
  bool synced = false;
  gateway->Start([&](const Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    MutexLock lock(mutex);
    synced = true;
    changed.notify_all();
  });
  {
    MutexLock lock(mutex);
    while (!synced) lock.Wait(changed);
  }
  EXPECT_THAT(Replicas(*gateway), ElementsAre("0"));
  gateway->Stop();
  gateway->Stop();
}

TEST_F(StoreGatewayTest, MakesHeadersEarlyWhenTold) {
  UploadBlock(first_, "0");
  UploadBlock(second_, "1");
  StoreGatewayOptions options;
  options.make_headers_early = true;
  const auto gateway = Open(options);
  gateway->Start([](const Status&) {});
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!(HasHeader(first_) && HasHeader(second_)) && std::chrono::steady_clock::now() < limit)
    std::this_thread::yield();
  EXPECT_TRUE(HasHeader(first_));
  EXPECT_TRUE(HasHeader(second_));
  EXPECT_THAT(Replicas(*gateway), ElementsAre("0", "1"));
}

}  // namespace
}  // namespace aevum::storegateway
