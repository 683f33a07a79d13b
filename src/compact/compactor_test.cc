#include "compact/compactor.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "base/pause.h"
#include "compact/testing/fake_blocks.h"
#include "objstore/testing/faulty_bucket.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::compact {
namespace {

using objstore::Fault;
using objstore::FaultyBucket;
using objstore::MemoryBucket;
using testing::BucketOf;
using ::testing::ElementsAre;
using testing::FakeWork;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ReadBlocks;
using ::testing::SizeIs;
using testing::TickingClock;

constexpr std::int64_t kHour = 3'600'000;

class CompactorTest : public ::testing::Test {
 protected:
  CompactorTest() {
    options_.data_dir = directory_.path();
    options_.consistency_delay = std::chrono::seconds(0);
    // No wait of a test is as long as this; the clock is quicker.
    options_.leases = {.owner = "worker",
                       .duration = std::chrono::minutes(10),
                       .retry = std::chrono::milliseconds(1),
                       .directory = "compact/leases"};
  }

  // One run over `bucket`, as a process of its own.
  Status Run(const std::shared_ptr<objstore::Bucket>& bucket) {
    prometheus::Registry registry;
    CompactorOptions options = options_;
    options.leases.owner += std::to_string(++runs_);
    Compactor compactor(options, bucket, work_.functions(), Logger(), registry, clock_);
    const Status status = compactor.RunOnce(context_);
    problems_ = compactor.problems();
    return status;
  }

  // Four blocks of an aligned 8 h, and one behind them.
  static std::shared_ptr<MemoryBucket> FullRange() {
    auto bucket = std::make_shared<MemoryBucket>();
    for (int i = 0; i < 5; ++i) BucketOf(*bucket).Put(i, i * 2 * kHour, (i + 1) * 2 * kHour);
    return bucket;
  }

  const Context context_ = Context::Background();
  const TemporaryDirectory directory_ = *TemporaryDirectory::Create();
  TickingClock clock_{1'700'000'000'000};
  CompactorOptions options_;
  FakeWork work_;
  int runs_ = 0;
  std::map<std::string, Problem> problems_;
};

TEST_F(CompactorTest, MergesAFullRangeAndDeletesItsSourcesLater) {
  const auto bucket = FullRange();
  ASSERT_TRUE(Run(bucket).ok());
  const auto blocks = ReadBlocks(*bucket);
  EXPECT_EQ(blocks.Live(), (testing::Shape{{0, 8 * kHour, 0}, {8 * kHour, 10 * kHour, 0}}));
  EXPECT_EQ(blocks.all.size(), 6U);
  EXPECT_EQ(blocks.LiveSamples(), (std::set<std::string>{"0", "1", "2", "3", "4"}));

  clock_.Advance(20 * kHour);  // each run takes some hours of this clock, too
  ASSERT_TRUE(Run(bucket).ok());
  EXPECT_EQ(ReadBlocks(*bucket).all.size(), 6U);
  clock_.Advance(48 * kHour);
  ASSERT_TRUE(Run(bucket).ok());
  EXPECT_EQ(ReadBlocks(*bucket).all.size(), 2U);
  EXPECT_EQ(work_.merges.load(), 1);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.File("compact")));
}

// What Run leaves, whatever was in its way before.
void ExpectSound(objstore::Bucket& bucket, const std::set<std::string>& samples) {
  const auto blocks = ReadBlocks(bucket);
  EXPECT_THAT(blocks.incomplete, IsEmpty());
  EXPECT_EQ(blocks.LiveSamples(), samples) << "a block was marked before its replacement was whole";
}

TEST_F(CompactorTest, AKillAnywhereLosesNothing) {
  options_.retention.keep[2] = std::chrono::hours(1);
  const std::set<std::string> samples = {"0", "1", "2", "3", "4", "long"};
  const auto make = [] {
    auto bucket = FullRange();
    BucketOf(*bucket).Put(50, 96 * kHour, 144 * kHour, "long");  // to be downsampled
    return bucket;
  };
  const auto undisturbed = make();
  Mutex mutex;
  std::set<int> writes;
  const auto counting = std::make_shared<FaultyBucket>(
      undisturbed, [&](const objstore::BucketCall& call) -> std::optional<Fault> {
        using Kind = objstore::BucketCall::Kind;
        MutexLock lock(mutex);
        if (call.kind == Kind::kUpload || call.kind == Kind::kDelete) writes.insert(call.number);
        return std::nullopt;
      });
  ASSERT_TRUE(Run(counting).ok());
  const testing::Shape wanted = ReadBlocks(*undisturbed).Live();
  ASSERT_THAT(wanted, SizeIs(4));
  const int calls = counting->calls();
  ASSERT_GT(calls, 40);

  for (const Fault::When when : {Fault::When::kBefore, Fault::When::kAfter}) {
    for (int killed = 1; killed <= calls; ++killed) {
      // After a call that changes nothing is before the next.
      if (when == Fault::When::kAfter && !writes.contains(killed)) continue;
      SCOPED_TRACE(killed);
      SCOPED_TRACE(when == Fault::When::kBefore ? "before" : "after");
      const auto bucket = make();
      const auto way = std::make_shared<FaultyBucket>(
          bucket, [&](const objstore::BucketCall& call) -> std::optional<Fault> {
            if (call.number < killed) return std::nullopt;
            return Fault{.error = Unavailable("killed"),
                         .when = call.number == killed ? when : Fault::When::kBefore,
                         .cut_after_bytes = std::nullopt,
                         .delay = std::chrono::milliseconds(0)};
          });
      Run(way).IgnoreError();  // whether it could tell is not the point
      ExpectSound(*bucket, samples);
      ASSERT_TRUE(Run(bucket).ok());
      ExpectSound(*bucket, samples);
      ASSERT_EQ(ReadBlocks(*bucket).Live(), wanted);
      if (killed % 4 != 0) continue;
      clock_.Advance(100 * kHour);
      ASSERT_TRUE(Run(bucket).ok());
      ASSERT_EQ(ReadBlocks(*bucket).all.size(), wanted.size());
      ExpectSound(*bucket, samples);
    }
  }
}

TEST_F(CompactorTest, ManyFaultsOnlyDelayIt) {
  const std::set<std::string> samples = {"0", "1", "2", "3", "4"};
  for (unsigned seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    const auto bucket = FullRange();
    std::mt19937 random(seed);
    Mutex mutex;
    for (int run = 0; run < 4; ++run) {
      const auto way = std::make_shared<FaultyBucket>(
          bucket, [&](const objstore::BucketCall&) -> std::optional<Fault> {
            MutexLock lock(mutex);
            const auto dice = random() % 100;
            if (dice > 2) return std::nullopt;
            Fault fault{.error = Unavailable("fault"),
                        .when = dice == 0 ? Fault::When::kBefore : Fault::When::kAfter,
                        .cut_after_bytes = std::nullopt,
                        .delay = std::chrono::milliseconds(0)};
            if (dice == 2) fault = {.error = OkStatus(), .cut_after_bytes = 3};
            return fault;
          });
      Run(way).IgnoreError();
      ExpectSound(*bucket, samples);
    }
    ASSERT_TRUE(Run(bucket).ok());
    EXPECT_EQ(ReadBlocks(*bucket).Live(),
              (testing::Shape{{0, 8 * kHour, 0}, {8 * kHour, 10 * kHour, 0}}));
  }
}

TEST_F(CompactorTest, ADamagedBlockIsMarkedAndTheRestGoesOn) {
  const auto bucket = std::make_shared<MemoryBucket>();
  for (int i = 0; i < 5; ++i)
    BucketOf(*bucket).Put(i, i * 2 * kHour, (i + 1) * 2 * kHour, i == 0 ? "DAMAGED" : "");
  for (int i = 10; i < 15; ++i)
    BucketOf(*bucket, "other").Put(i, (i - 10) * 2 * kHour, (i - 9) * 2 * kHour);
  ASSERT_TRUE(Run(bucket).ok());
  const auto blocks = ReadBlocks(*bucket);
  EXPECT_EQ(blocks.Live(), (testing::Shape{{0, 2 * kHour, 0},
                                           {0, 8 * kHour, 0},
                                           {2 * kHour, 8 * kHour, 0},
                                           {8 * kHour, 10 * kHour, 0},
                                           {8 * kHour, 10 * kHour, 0}}));
  const model::Ulid damaged = testing::IdOf(0);
  const auto mark = block::ReadMark(context_, *bucket, block::MarkKind::kNoCompact, damaged);
  ASSERT_TRUE(mark.ok()) << mark.status();
  EXPECT_EQ(mark->reason, "block-damaged");
  EXPECT_THAT(mark->details, HasSubstr("checksum"));
  ASSERT_THAT(problems_, SizeIs(1));
  EXPECT_EQ(problems_.begin()->first, damaged.ToString());
}

TEST_F(CompactorTest, HaltsOnlyWhereThatIsWanted) {
  options_.halt_on_error = true;
  const auto bucket = FullRange();
  BucketOf(*bucket).Put(0, 0, 2 * kHour, "DAMAGED");
  EXPECT_EQ(Run(bucket).code(), StatusCode::kDataLoss);
  EXPECT_EQ(ReadBlocks(*bucket).all.size(), 5U);
}

TEST_F(CompactorTest, WhatOverlapsIsMergedOnlyIfThatIsAllowed) {
  const auto bucket = FullRange();
  BucketOf(*bucket).Put(20, kHour, 3 * kHour);
  const testing::Shape before = ReadBlocks(*bucket).Live();
  ASSERT_TRUE(Run(bucket).ok());
  EXPECT_THAT(problems_, SizeIs(3));
  EXPECT_EQ(ReadBlocks(*bucket).LiveSamples().size(), 6U);
  EXPECT_EQ(ReadBlocks(*bucket).Live().count({0, 2 * kHour, 0}), 1U);

  options_.vertical = true;
  ASSERT_TRUE(Run(bucket).ok());
  EXPECT_THAT(problems_, IsEmpty());
  EXPECT_EQ(ReadBlocks(*bucket).Live(),
            (testing::Shape{{0, 8 * kHour, 0}, {8 * kHour, 10 * kHour, 0}}));
}

TEST_F(CompactorTest, OverlappingDownsampledBlocksAreMarked) {
  options_.vertical = true;
  const auto bucket = std::make_shared<MemoryBucket>();
  BucketOf(*bucket).Put(1, 0, 48 * kHour, "a", 300'000);
  BucketOf(*bucket).Put(2, kHour, 48 * kHour, "b", 300'000);
  ASSERT_TRUE(Run(bucket).ok());
  const auto mark =
      block::ReadMark(context_, *bucket, block::MarkKind::kNoCompact, testing::IdOf(1));
  ASSERT_TRUE(mark.ok()) << mark.status();
  EXPECT_EQ(mark->reason, block::kReasonVerticalDownsampled);
  EXPECT_EQ(ReadBlocks(*bucket).Live().size(), 2U);
}

TEST_F(CompactorTest, DownsamplesTwiceThenExpiresTheRaw) {
  options_.retention.keep[0] = std::chrono::hours(48);
  const auto bucket = std::make_shared<MemoryBucket>();
  BucketOf(*bucket).Put(1, 0, 14 * 24 * kHour, "x");
  work_.downsample_status = Unavailable("not now");
  EXPECT_FALSE(Run(bucket).ok());
  EXPECT_EQ(ReadBlocks(*bucket).Live(), (testing::Shape{{0, 14 * 24 * kHour, 0}}))
      << "the raw block expired without a copy";
  work_.downsample_status = OkStatus();
  ASSERT_TRUE(Run(bucket).ok());
  EXPECT_EQ(ReadBlocks(*bucket).Live(),
            (testing::Shape{{0, 14 * 24 * kHour, 300'000}, {0, 14 * 24 * kHour, 3'600'000}}));
}

TEST_F(CompactorTest, ABlockWithoutLabelsIsNamed) {
  const auto bucket = FullRange();
  BucketOf(*bucket, "").Put(30, 0, 2 * kHour);
  ASSERT_TRUE(Run(bucket).ok());
  ASSERT_THAT(problems_, SizeIs(1));
  EXPECT_THAT(problems_.begin()->second.what, HasSubstr("external labels"));
  EXPECT_EQ(ReadBlocks(*bucket).Live().size(), 3U);
}

TEST_F(CompactorTest, ReplicasBecomeOne) {
  options_.vertical = true;
  options_.replica_labels = {"replica"};
  const auto bucket = std::make_shared<MemoryBucket>();
  for (int i = 0; i < 10; ++i)
    BucketOf(*bucket, "eu", i < 5 ? "a" : "b").Put(i, (i % 5) * 2 * kHour, (i % 5 + 1) * 2 * kHour);
  ASSERT_TRUE(Run(bucket).ok());
  const auto blocks = ReadBlocks(*bucket);
  EXPECT_EQ(blocks.Live(), (testing::Shape{{0, 8 * kHour, 0}, {8 * kHour, 10 * kHour, 0}}));
  EXPECT_THAT(blocks.LiveSamples(), SizeIs(10));
  for (const auto& [ulid, block] : blocks.all) {
    EXPECT_TRUE(block.marked || !block.meta.labels.contains("replica"));
  }
}

TEST_F(CompactorTest, EmptyBlocksGoAndOthersStay) {
  work_.drop_all = true;
  const auto bucket = FullRange();
  for (int i = 0; i < 3; ++i)
    BucketOf(*bucket).PutWithSamples(i, i * 2 * kHour, (i + 1) * 2 * kHour, 0);
  ASSERT_TRUE(Run(bucket).ok());
  EXPECT_EQ(ReadBlocks(*bucket).Live(),
            (testing::Shape{{6 * kHour, 8 * kHour, 0}, {8 * kHour, 10 * kHour, 0}}));
}

TEST_F(CompactorTest, WhatDoesNotFitIsNamed) {
  options_.scratch_size_bytes = 1;
  const auto bucket = FullRange();
  const Status status = Run(bucket);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--compact.scratch-size"));
  EXPECT_THAT(problems_, SizeIs(1));
  EXPECT_EQ(ReadBlocks(*bucket).Live().size(), 5U);
}

TEST_F(CompactorTest, AFullDiskIsExplained) {
  work_.merge_status = Unavailable("can't write: No space left on device");
  const auto bucket = FullRange();
  const Status status = Run(bucket);
  EXPECT_THAT(std::string(status.message()), HasSubstr("--data-dir"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(directory_.path()));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.File("compact")));
}

TEST_F(CompactorTest, APartialUploadGoesWhenItIsOld) {
  const auto bucket = FullRange();
  BucketOf(*bucket).PutWithoutMeta(40);
  ASSERT_TRUE(Run(bucket).ok());
  EXPECT_THAT(ReadBlocks(*bucket).without_meta, SizeIs(1));
  clock_.Advance(10'000LL * 24 * kHour);
  ASSERT_TRUE(Run(bucket).ok());
  EXPECT_THAT(ReadBlocks(*bucket).without_meta, IsEmpty());
}

TEST_F(CompactorTest, WorkersShareTheWork) {
  const auto bucket = std::make_shared<MemoryBucket>();
  constexpr int kGroups = 6;
  for (int group = 0; group < kGroups; ++group) {
    for (int i = 0; i < 5; ++i) {
      BucketOf(*bucket, "group" + std::to_string(group))
          .Put(group * 10 + i, i * 2 * kHour, (i + 1) * 2 * kHour);
    }
  }
  const FakeClock clock(1'700'000'000'000);
  std::vector<std::thread> threads;
  for (const char* worker : {"a", "b"}) {
    threads.emplace_back([&, worker] {
      CompactorOptions options = options_;
      options.data_dir = directory_.File(worker);
      options.leases.owner = worker;
      prometheus::Registry registry;
      Compactor compactor(options, bucket, work_.functions(), Logger(), registry, clock);
      for (int i = 0; i < 3; ++i) {
        const PassResult result = CompactGroups(context_, compactor.place());
        EXPECT_TRUE(result.status.ok()) << result.status;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(work_.merges.load(), kGroups) << "work was done twice";
  EXPECT_THAT(ReadBlocks(*bucket).Live(), SizeIs(2 * kGroups));
  EXPECT_THAT(ReadBlocks(*bucket).LiveSamples(), SizeIs(5 * kGroups));
}

TEST_F(CompactorTest, TwoProcessesWithoutLeasesDoNoHarm) {
  const auto bucket = FullRange();
  const std::set<std::string> samples = {"0", "1", "2", "3", "4"};
  std::vector<std::thread> threads;
  for (const char* worker : {"a", "b"}) {
    threads.emplace_back([&, worker] {
      CompactorOptions options = options_;
      options.data_dir = directory_.File(worker);
      options.leases.owner = worker;
      options.leases.directory = std::string("compact/leases-of-") + worker;
      prometheus::Registry registry;
      Compactor compactor(options, bucket, work_.functions(), Logger(), registry, clock_);
      compactor.RunOnce(context_).IgnoreError();
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectSound(*bucket, samples);
  ASSERT_TRUE(Run(bucket).ok());
  ExpectSound(*bucket, samples);
  EXPECT_EQ(ReadBlocks(*bucket).Live(),
            (testing::Shape{{0, 8 * kHour, 0}, {8 * kHour, 10 * kHour, 0}}));
}

TEST_F(CompactorTest, ALoopWorksUntilItIsStopped) {
  const auto bucket = FullRange();
  options_.wait_interval = std::chrono::milliseconds(5);
  prometheus::Registry registry;
  Compactor compactor(options_, bucket, work_.functions(), Logger(), registry, clock_);
  compactor.Start();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while ((ReadBlocks(*bucket).Live().size() != 2 || !compactor.global().blocks) &&
         std::chrono::steady_clock::now() < deadline)
    ASSERT_TRUE(Pause(context_, std::chrono::milliseconds(5)).ok());
  compactor.Stop();
  EXPECT_EQ(ReadBlocks(*bucket).Live().size(), 2U);
  EXPECT_TRUE(compactor.loaded().blocks);
  EXPECT_TRUE(compactor.global().blocks);
}

}  // namespace
}  // namespace aevum::compact
