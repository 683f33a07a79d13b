#include "tools/retention.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "block/marks.h"
#include "block/testing/blocks.h"
#include "tools/testing/recorded_log.h"

namespace aevum::tools {
namespace {

using block::MarkKind;
using block::ObjectName;
using block::testing::CountingBucket;
using block::testing::IdOf;
using block::testing::MakeMeta;
using block::testing::Put;
using block::testing::PutMeta;
using ::testing::Contains;
using ::testing::HasSubstr;

const Context kContext = Context::Background();
constexpr TimestampMs kHour = 3'600'000;
constexpr TimestampMs kNow = 1'795'577'016'000;

// Two days of raw samples that ended so long ago.
block::Meta RawMeta(int number, int hours_ago) {
  block::Meta meta = MakeMeta(number);
  meta.max_time = kNow - hours_ago * kHour;
  meta.min_time = meta.max_time - 48 * kHour;
  meta.compaction.sources = {meta.ulid};
  return meta;
}

block::Meta CopyOf(const block::Meta& source, int number) {
  block::Meta meta = source;
  meta.ulid = IdOf(number);
  meta.resolution_ms = 300'000;
  return meta;
}

class ApplyRetentionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.policy.keep[0] = std::chrono::hours(50);
    PutMeta(bucket_, RawMeta(1, 60));  // has a copy
    PutMeta(bucket_, CopyOf(RawMeta(1, 60), 11));
    Put(bucket_, ObjectName(IdOf(1), "index"), "12345");
    PutMeta(bucket_, RawMeta(2, 60));  // has none
    PutMeta(bucket_, RawMeta(3, 60));  // will have none
    Put(bucket_, ObjectName(IdOf(3), "no-downsample-mark.json"), "{}");
    PutMeta(bucket_, RawMeta(4, 40));  // is not past its retention
    PutMeta(bucket_, RawMeta(5, 60));  // has a copy that is about to go
    PutMeta(bucket_, CopyOf(RawMeta(5, 60), 15));
    Put(bucket_, ObjectName(IdOf(15), "deletion-mark.json"),
        block::Mark{.block = IdOf(15), .details = "", .time_seconds = kNow / 1000, .reason = ""}
            .Write());
  }

  Status Apply() {
    return ApplyRetention(kContext, bucket_, options_, log_.logger(), registry_, FakeClock(kNow));
  }
  std::vector<int> Marked() {
    std::vector<int> marked;
    for (const int number : {1, 2, 3, 4, 5, 11}) {
      if (block::ReadMark(kContext, bucket_, MarkKind::kDeletion, IdOf(number)).ok())
        marked.push_back(number);
    }
    return marked;
  }

  CountingBucket bucket_;
  RetentionOptions options_;
  testing::RecordedLog log_;
  prometheus::Registry registry_;
};

TEST_F(ApplyRetentionTest, MarksWhatIsPastAndHasItsCopy) {
  const Status status = Apply();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Marked(), (std::vector<int>{1, 3}));
  const auto mark = block::ReadMark(kContext, bucket_, MarkKind::kDeletion, IdOf(1));
  EXPECT_EQ(mark->details, "block exceeding retention of 50h0m0s");
  EXPECT_EQ(mark->time_seconds, kNow / 1000);
  EXPECT_THAT(log_.lines(), Contains(AllOf(HasSubstr("stays until its coarse copy is made"),
                                           HasSubstr(IdOf(2).ToString()))));
}

TEST_F(ApplyRetentionTest, ADryRunMarksNothingAndCountsBytes) {
  std::string report;
  options_.report = [&](std::string_view line) {
    report += line;
    return OkStatus();
  };
  const Status status = Apply();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Marked(), std::vector<int>{});
  const std::size_t bytes = 5 + RawMeta(1, 60).Write().size() + RawMeta(3, 60).Write().size() + 2;
  EXPECT_THAT(report, HasSubstr(fmt::format("would free {} bytes of 2 blocks\n", bytes)));
  EXPECT_THAT(report, HasSubstr(IdOf(2).ToString()));
}

TEST_F(ApplyRetentionTest, ABucketThatIsNotSeenAsAWholeIsLeftAlone) {
  bucket_.fail = ObjectName(IdOf(11), "meta.json");
  EXPECT_FALSE(Apply().ok());
  EXPECT_EQ(Marked(), std::vector<int>{});
}

}  // namespace
}  // namespace aevum::tools
