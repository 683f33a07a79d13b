// Tools that change buckets: mark, cleanup, replicate; and the view that follows one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "block/marks.h"
#include "block/testing/blocks.h"
#include "tools/bucket_viewer.h"
#include "tools/cleanup.h"
#include "tools/copy_block.h"
#include "tools/marking.h"
#include "tools/replicate.h"
#include "tools/testing/recorded_log.h"

namespace aevum::tools {
namespace {

using block::MarkKind;
using block::ObjectName;
using block::testing::CountingBucket;
using block::testing::IdOf;
using block::testing::List;
using block::testing::MakeMeta;
using block::testing::Put;
using block::testing::PutMeta;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Context kContext = Context::Background();
constexpr TimestampMs kHour = 3'600'000;

void PutWhole(objstore::Bucket& bucket, const block::Meta& meta) {
  Put(bucket, ObjectName(meta.ulid, "chunks/000001"), "first");
  Put(bucket, ObjectName(meta.ulid, "chunks/000002"), "second");
  Put(bucket, ObjectName(meta.ulid, "index"), "index");
  PutMeta(bucket, meta);
}

TEST(MarkBlocksTest, PutsAndRemovesMarks) {
  CountingBucket bucket;
  testing::RecordedLog log;
  const FakeClock clock(1'795'576'914'500);
  PutWhole(bucket, MakeMeta(1));
  MarkingOptions options{.blocks = {IdOf(1)}, .kind = MarkKind::kNoCompact, .details = "why"};
  ASSERT_TRUE(MarkBlocks(kContext, bucket, options, log.logger(), clock).ok());
  const auto mark = block::ReadMark(kContext, bucket, MarkKind::kNoCompact, IdOf(1));
  ASSERT_TRUE(mark.ok());
  EXPECT_EQ(mark->Write(), R"({"id":")" + IdOf(1).ToString() +
                               R"(","version":1,"details":"why","no_compact_time":1795576914,)"
                               R"("reason":"manual"})");
  options.details = "again";
  ASSERT_TRUE(MarkBlocks(kContext, bucket, options, log.logger(), clock).ok());
  EXPECT_THAT(log.lines(), Contains(HasSubstr("already exists")));
  EXPECT_EQ(block::ReadMark(kContext, bucket, MarkKind::kNoCompact, IdOf(1))->details, "why");

  options.action = MarkingOptions::Action::kRemove;
  ASSERT_TRUE(MarkBlocks(kContext, bucket, options, log.logger(), clock).ok());
  EXPECT_THAT(List(bucket), SizeIs(4));
  ASSERT_TRUE(MarkBlocks(kContext, bucket, options, log.logger(), clock).ok());
  EXPECT_THAT(log.lines(), Contains(HasSubstr("does not exist")));
}

TEST(MarkBlocksTest, RefusesABlockThatIsNotThere) {
  CountingBucket bucket;
  const Status status =
      MarkBlocks(kContext, bucket, {.blocks = {IdOf(1)}, .details = "x"}, Logger());
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(List(bucket), IsEmpty());
}

class CleanUpTest : public ::testing::Test {
 protected:
  void MarkAt(int number, TimestampMs time) {
    Put(bucket_, ObjectName(IdOf(number), "deletion-mark.json"),
        block::Mark{.block = IdOf(number), .time_seconds = time / 1000}.Write());
  }
  Status Run(CleanupOptions options = {}) {
    prometheus::Registry metrics;
    return CleanUp(kContext, bucket_, options, log_.logger(), metrics, clock_);
  }
  bool Has(int number) { return !List(bucket_, IdOf(number).ToString()).empty(); }

  CountingBucket bucket_;
  testing::RecordedLog log_;
  // The objects of the bucket are of 1,700,000,000,000 and the milliseconds behind it.
  FakeClock clock_{1'700'000'000'000 + 100 * kHour};
};

TEST_F(CleanUpTest, DeletesBlocksThatWereMarkedLongEnough) {
  for (const int number : {1, 2, 3}) PutWhole(bucket_, MakeMeta(number));
  MarkAt(1, clock_.NowMs() - 49 * kHour);
  MarkAt(2, clock_.NowMs() - 47 * kHour);
  ASSERT_TRUE(Run().ok());
  EXPECT_FALSE(Has(1));
  EXPECT_TRUE(Has(2));
  EXPECT_TRUE(Has(3));
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("deleted_blocks=1 deleted_partial_uploads=0")));
  ASSERT_TRUE(Run({.delete_delay = std::chrono::hours(1)}).ok());
  EXPECT_FALSE(Has(2));
}

TEST_F(CleanUpTest, DeletesUploadsThatWereGivenUp) {
  Put(bucket_, ObjectName(IdOf(1), "chunks/000001"), "x");
  Put(bucket_, ObjectName(IdOf(2), "index"), "x");
  Put(bucket_, ObjectName(IdOf(2), "meta.json"), "{ damaged");
  clock_.Set(1'700'000'000'000 + 47 * kHour);
  ASSERT_TRUE(Run().ok());
  EXPECT_TRUE(Has(1));
  clock_.Set(1'700'000'000'000 + 49 * kHour);
  ASSERT_TRUE(Run().ok());
  EXPECT_FALSE(Has(1));
  // Its samples may be whole: a person has to look.
  EXPECT_TRUE(Has(2));
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("can't be read and stays")));
}

TEST_F(CleanUpTest, FinishesDeletionsThatWereCutShort) {
  clock_.Set(1'700'000'000'000 + 30 * kHour);
  for (const int number : {1, 2}) Put(bucket_, ObjectName(IdOf(number), "index"), "x");
  MarkAt(1, clock_.NowMs() - 20 * kHour);
  MarkAt(2, clock_.NowMs() - 2 * kHour);
  ASSERT_TRUE(Run({.delete_delay = std::chrono::hours(10)}).ok());
  EXPECT_FALSE(Has(1));
  EXPECT_TRUE(Has(2));
}

TEST_F(CleanUpTest, TouchesOnlyWhatTheSelectorKeeps) {
  block::Meta other = MakeMeta(2);
  other.labels["cluster"] = "us";
  PutWhole(bucket_, MakeMeta(1));
  PutWhole(bucket_, other);
  for (const int number : {1, 2}) MarkAt(number, 0);
  ASSERT_TRUE(Run({.selector = *model::Relabeler::Parse(
                       "- {action: keep, source_labels: [cluster], regex: us}")})
                  .ok());
  EXPECT_TRUE(Has(1));
  EXPECT_FALSE(Has(2));
}

TEST_F(CleanUpTest, DoesNothingOnHalfAView) {
  PutWhole(bucket_, MakeMeta(1));
  PutWhole(bucket_, MakeMeta(2));
  MarkAt(1, 0);
  bucket_.fail = ObjectName(IdOf(2), "meta.json");
  EXPECT_EQ(Run().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(Has(1));
}

class ReplicateTest : public ::testing::Test {
 protected:
  Status Run(ReplicateOptions options = {}) {
    metrics_ = std::make_shared<prometheus::Registry>();
    Replicator replicator(std::move(options), from_, to_, silent_, log_.logger(), *metrics_);
    return replicator.Run(kContext);
  }
  double Metric(const std::string& name) {
    for (const auto& family : metrics_->Collect()) {
      if (family.name == name) return family.metric.front().counter.value;
    }
    return -1;
  }
  // Numbers of the blocks that are whole.
  std::vector<int> Copied() {
    std::vector<int> numbers;
    for (int i = 0; i < 10; ++i) {
      if (*to_.Exists(kContext, ObjectName(IdOf(i), "meta.json"))) numbers.push_back(i);
    }
    return numbers;
  }

  CountingBucket from_, to_;
  ProgressBar silent_{"", nullptr};
  testing::RecordedLog log_;
  std::shared_ptr<prometheus::Registry> metrics_;
};

TEST_F(ReplicateTest, CopiesWhatIsMissing) {
  PutWhole(from_, MakeMeta(1));
  PutWhole(from_, MakeMeta(2));
  Put(from_, "other/object", "x");
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(Copied(), ElementsAre(1, 2));
  EXPECT_THAT(List(to_), SizeIs(8));
  EXPECT_EQ(Metric("thanos_replicate_blocks_replicated_total"), 2);
  EXPECT_EQ(Metric("thanos_replicate_objects_replicated_total"), 8);
  EXPECT_EQ(*to_.Get(kContext, ObjectName(IdOf(1), "chunks/000002")), "second");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(Metric("thanos_replicate_blocks_already_replicated_total"), 2);
  EXPECT_EQ(Metric("thanos_replicate_blocks_replicated_total"), 0);
}

TEST_F(ReplicateTest, ABlockIsNotSeenBeforeItIsWhole) {
  PutWhole(from_, MakeMeta(1));
  ASSERT_TRUE(Run().ok());
  const int calls = to_.calls;
  for (int call = 0; call < calls; ++call) {
    for (const std::string& name : List(to_)) ASSERT_TRUE(to_.Delete(kContext, name).ok());
    to_.calls = 0;
    to_.fail_call = call;
    const Status failed = Run();
    to_.fail_call = -1;
    EXPECT_FALSE(failed.ok()) << call;
    EXPECT_THAT(Copied(), IsEmpty()) << call;
    EXPECT_TRUE(Run().ok()) << call;
    EXPECT_THAT(List(to_), SizeIs(4)) << call;
  }
}

TEST_F(ReplicateTest, GoesOnBehindABlockThatFails) {
  PutWhole(from_, MakeMeta(1));
  PutWhole(from_, MakeMeta(2));
  ASSERT_TRUE(from_.Delete(kContext, ObjectName(IdOf(1), "index")).ok());
  const Status status = Run();
  EXPECT_THAT(std::string(status.message()), HasSubstr("could not be copied: 1 of 2"));
  EXPECT_THAT(Copied(), ElementsAre(2));
}

TEST_F(ReplicateTest, ChoosesBlocks) {
  for (int i = 1; i <= 4; ++i) {
    block::Meta meta = MakeMeta(i);
    if (i == 2) meta.resolution_ms = 300'000;
    if (i == 3) meta.compaction.level = 3;
    if (i == 4) meta.labels["cluster"] = "us";
    PutWhole(from_, meta);
  }
  struct Case {
    ReplicateOptions options;
    std::vector<int> copied;
  };
  Put(from_, ObjectName(IdOf(1), "deletion-mark.json"),
      block::Mark{.block = IdOf(1), .time_seconds = 1}.Write());
  const Case cases[] = {
      {{.resolutions_ms = {300'000}}, {2}},
      {{.compaction_levels = {3}}, {3}},
      {{.matchers = {model::Matcher::Equal("cluster", "us")}}, {4}},
      // Blocks that the bounds only touch may hold a sample of them.
      {{.min_time = *TimeOrDuration::Parse("1970-01-01T04:00:00Z"),
        .max_time = *TimeOrDuration::Parse("1970-01-01T06:00:00Z")},
       {1, 2, 3}},
      {{.matchers = {model::Matcher::Equal("cluster", "us")}, .ids = {IdOf(1), IdOf(2)}}, {1, 2}},
      {{.resolutions_ms = {0}, .compaction_levels = {1}, .ignore_marked_for_deletion = true}, {4}},
  };
  for (const Case& c : cases) {
    for (const std::string& name : List(to_)) ASSERT_TRUE(to_.Delete(kContext, name).ok());
    ASSERT_TRUE(Run(c.options).ok());
    EXPECT_EQ(Copied(), c.copied);
  }
  EXPECT_EQ(Run({.ids = {IdOf(9)}}).code(), StatusCode::kNotFound);
}

TEST_F(ReplicateTest, CopiesObjectsThatAreThereByHalfAgain) {
  PutWhole(from_, MakeMeta(1));
  Put(to_, ObjectName(IdOf(1), "chunks/000001"), "fir");
  Put(to_, ObjectName(IdOf(1), "chunks/000002"), "SECOND");  // not looked into: of the same size
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(*to_.Get(kContext, ObjectName(IdOf(1), "chunks/000001")), "first");
  EXPECT_EQ(*to_.Get(kContext, ObjectName(IdOf(1), "chunks/000002")), "SECOND");
  EXPECT_EQ(Metric("thanos_replicate_objects_replicated_total"), 3);
  // Under another meta.json nothing of what is there counts.
  PutMeta(to_, MakeMeta(1));
  block::Meta changed = MakeMeta(1);
  changed.labels["zone"] = "b";
  PutMeta(from_, changed);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(*to_.Get(kContext, ObjectName(IdOf(1), "chunks/000002")), "second");
  const auto refused = CopyBlock(kContext, to_, from_, IdOf(1), OtherBlock::kRefused, silent_);
  EXPECT_EQ(refused.status().code(), StatusCode::kAlreadyExists);
}

TEST(BucketViewerTest, KeepsWhatItKnewWhenALookFails) {
  CountingBucket bucket;
  prometheus::Registry metrics;
  FakeClock clock(5'000);
  PutWhole(bucket, MakeMeta(1));
  BucketViewer viewer({}, bucket, Logger(), metrics, clock);
  EXPECT_EQ(viewer.view().blocks, nullptr);
  viewer.Refresh(kContext);
  ASSERT_NE(viewer.view().blocks, nullptr);
  EXPECT_THAT(viewer.view().blocks->metas, SizeIs(1));
  EXPECT_EQ(viewer.view().refreshed_ms, 5'000);
  bucket.fail_listing = true;
  clock.Set(6'000);
  viewer.Refresh(kContext);
  EXPECT_FALSE(viewer.view().status.ok());
  EXPECT_THAT(viewer.view().blocks->metas, SizeIs(1));
  EXPECT_EQ(viewer.view().refreshed_ms, 5'000);
}

TEST(BucketViewerTest, StopsWhileItWaits) {
  CountingBucket bucket;
  prometheus::Registry metrics;
  BucketViewer viewer({.refresh = std::chrono::hours(1)}, bucket, Logger(), metrics);
  viewer.Start();
  viewer.Stop();
  viewer.Stop();
}

}  // namespace
}  // namespace aevum::tools
