#include "tools/downsample_bucket.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "block/marks.h"
#include "block/testing/blocks.h"
#include "objstore/testing/memory_bucket.h"
#include "tools/testing/recorded_log.h"

namespace aevum::tools {
namespace {

namespace fs = std::filesystem;
using block::testing::CountingBucket;
using block::testing::Put;
using ::testing::Contains;
using ::testing::HasSubstr;

const std::string kDownsampled = AEVUM_SHARED_DIR "/golden/buckets/downsampled/";
const std::string kLong = "01M88B6VE8JYDX8FEVYEDJFK9G";   // 14 days, raw
const std::string kShort = "01M88B6Q85QT1DY35EZWRXHJ5F";  // 2 days, raw

class BucketDownsamplerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kDownsampled)) GTEST_SKIP() << "no golden bucket at " << kDownsampled;
    auto directory = TemporaryDirectory::Create();
    ASSERT_TRUE(directory.ok()) << directory.status();
    directory_.emplace(*std::move(directory));
    PutBlock(kLong);
    PutBlock(kShort);
  }

  void PutBlock(const std::string& id) {
    for (const std::string file : {"chunks/000001", "index", "meta.json"}) {
      const auto bytes = ReadFile(kDownsampled + id + "/" + file);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      Put(bucket_, id + "/" + file, *bytes);
    }
  }

  Status Run() {
    DownsampleBucketOptions options;
    options.data_directory = directory_->path();
    options.concurrency = 2;
    prometheus::Registry metrics;
    ProgressBar silent("", nullptr);
    return BucketDownsampler(options, bucket_, silent, log_.logger(), metrics)
        .Run(Context::Background());
  }

  // How many samples there are by resolution and source.
  std::map<std::pair<std::int64_t, std::size_t>, std::uint64_t> Samples() {
    std::map<std::pair<std::int64_t, std::size_t>, std::uint64_t> samples;
    for (const std::string& name : block::testing::List(bucket_, "")) {
      if (!name.ends_with("/meta.json")) continue;
      const auto bytes = bucket_.Get(Context::Background(), name);
      EXPECT_TRUE(bytes.ok());
      const auto meta = block::Meta::Parse(*bytes);
      EXPECT_TRUE(meta.ok()) << meta.status();
      samples[{meta->resolution_ms, meta->compaction.sources.size()}] += meta->stats.samples;
    }
    return samples;
  }

  CountingBucket bucket_;
  testing::RecordedLog log_;
  std::optional<TemporaryDirectory> directory_;
};

TEST_F(BucketDownsamplerTest, MakesWhatIsLackingOnce) {
  ASSERT_TRUE(Run().ok());
  const auto samples = Samples();
  EXPECT_EQ(samples.size(), 5U);
  EXPECT_EQ(samples.at({300'000, 1}), 623U);
  EXPECT_EQ(samples.at({300'000, 6}), 47'175U);
  EXPECT_EQ(samples.at({3'600'000, 6}), 4'307U);
  EXPECT_TRUE(fs::is_empty(directory_->path()));
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Samples(), samples);
}

TEST_F(BucketDownsamplerTest, LeavesMarkedBlocksAlone) {
  Put(bucket_, kLong + "/no-downsample-mark.json",
      block::Mark{.kind = block::MarkKind::kNoDownsample,
                  .block = *model::Ulid::Parse(kLong),
                  .details = "too dear"}
          .Write());
  Put(bucket_, kShort + "/deletion-mark.json",
      block::Mark{.kind = block::MarkKind::kDeletion,
                  .block = *model::Ulid::Parse(kShort),
                  .time_seconds = 1}
          .Write());
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Samples().size(), 2U);
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("marked not to be downsampled")));
}

TEST_F(BucketDownsamplerTest, NamesADamagedBlockAndGoesOn) {
  auto bytes = ReadFile(kDownsampled + kShort + "/chunks/000001");
  ASSERT_TRUE(bytes.ok());
  (*bytes)[bytes->size() / 2] ^= 1;
  Put(bucket_, kShort + "/chunks/000001", *bytes);
  const Status status = Run();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("block " + kShort)));
  EXPECT_EQ(Samples().size(), 4U);
  EXPECT_TRUE(fs::is_empty(directory_->path()));
}

TEST_F(BucketDownsamplerTest, DoesNothingWhereItDoesNotSeeAllBlocks) {
  bucket_.fail = kLong + "/meta.json";
  EXPECT_EQ(Run().code(), StatusCode::kUnavailable);
  bucket_.fail.clear();
  EXPECT_EQ(Samples().size(), 2U);
}

}  // namespace
}  // namespace aevum::tools
