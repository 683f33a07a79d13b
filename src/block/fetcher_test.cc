#include "block/fetcher.h"

#include <prometheus/registry.h>

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "block/filters.h"
#include "block/testing/blocks.h"

namespace aevum::block {
namespace {

namespace fs = std::filesystem;
using testing::CountingBucket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IdOf;
using ::testing::IsEmpty;
using testing::MakeMeta;
using testing::Put;
using testing::PutMeta;
using ::testing::SizeIs;

constexpr TimestampMs kNow = 1'800'000'000'000;

double Metric(prometheus::Registry& registry, const std::string& name, const std::string& label) {
  for (const auto& family : registry.Collect()) {
    if (family.name != name) continue;
    for (const auto& metric : family.metric) {
      if (label.empty() || (!metric.label.empty() && metric.label[0].value == label))
        return metric.gauge.value + metric.counter.value;
    }
  }
  ADD_FAILURE() << "no metric " << name << " " << label;
  return -1;
}

std::vector<model::Ulid> Keys(const MetaMap& metas) {
  std::vector<model::Ulid> keys;
  for (const auto& [block, meta] : metas) keys.push_back(block);
  return keys;
}

class FetcherTest : public ::testing::TestWithParam<Discovery> {
 protected:
  // What a process has; Restart makes a new one.
  struct Process {
    prometheus::Registry registry;
    std::unique_ptr<MetaFetcher> fetcher;
  };
  void SetUp() override { Restart({}); }
  void Restart(MetaFetcher::Filters filters) {
    process_ = std::make_unique<Process>();
    auto reader = std::make_shared<MetaReader>(
        MetaReaderOptions{
            .discovery = GetParam(), .concurrency = 4, .cache_directory = directory_.path()},
        bucket_, Logger(), process_->registry);
    process_->fetcher = std::make_unique<MetaFetcher>(std::move(reader), std::move(filters),
                                                      Logger(), process_->registry);
  }
  std::shared_ptr<const FetchedBlocks> Fetch() {
    bucket_.calls = 0;
    auto fetched = process_->fetcher->Fetch(context_);
    EXPECT_TRUE(fetched.ok()) << fetched.status();
    return fetched.ok() ? *fetched : std::make_shared<const FetchedBlocks>();
  }
  double Synced(const std::string& state) {
    return Metric(process_->registry, "thanos_blocks_meta_synced", state);
  }

  const Context context_ = Context::Background();
  CountingBucket bucket_;
  TemporaryDirectory directory_ = *TemporaryDirectory::Create();
  std::unique_ptr<Process> process_;
};

TEST_P(FetcherTest, FindsBlocksAndSetsAsideWhatIsNoWholeBlock) {
  PutMeta(bucket_, MakeMeta(1));
  PutMeta(bucket_, MakeMeta(2));
  Put(bucket_, ObjectName(IdOf(3), "chunks/000001"), "x");
  Put(bucket_, ObjectName(IdOf(4), kMetaFile), R"({"version":1,"minTime":"x"})");
  Put(bucket_, ObjectName(IdOf(5), kMetaFile), MakeMeta(1).Write());
  Put(bucket_, "debug/metas/x.json", "{}");
  Put(bucket_, IdOf(6).ToString(), "a file with a block's name");
  const auto fetched = Fetch();
  EXPECT_THAT(Keys(fetched->metas), ElementsAre(IdOf(1), IdOf(2)));
  EXPECT_TRUE(fetched->complete.ok());
  ASSERT_THAT(fetched->partial, SizeIs(3));
  EXPECT_EQ(fetched->partial.at(IdOf(3)).code(), StatusCode::kNotFound);
  EXPECT_EQ(fetched->partial.at(IdOf(4)).message(),
            ObjectName(IdOf(4), kMetaFile) + ": minTime: a number is wanted, a string is there");
  EXPECT_THAT(std::string(fetched->partial.at(IdOf(5)).message()), HasSubstr("of another block"));
  EXPECT_EQ(Synced("loaded"), 2);
  EXPECT_EQ(Synced("no-meta-json"), 1);
  EXPECT_EQ(Synced("corrupted-meta-json"), 2);
  EXPECT_EQ(Metric(process_->registry, "thanos_blocks_meta_syncs_total", ""), 1);
}

TEST_P(FetcherTest, FollowsWhatComesAndGoes) {
  PutMeta(bucket_, MakeMeta(1));
  EXPECT_THAT(Keys(Fetch()->metas), ElementsAre(IdOf(1)));
  PutMeta(bucket_, MakeMeta(2));
  EXPECT_THAT(Keys(Fetch()->metas), ElementsAre(IdOf(1), IdOf(2)));
  ASSERT_TRUE(bucket_.Delete(context_, ObjectName(IdOf(1), kMetaFile)).ok());
  EXPECT_THAT(Keys(Fetch()->metas), ElementsAre(IdOf(2)));
  EXPECT_FALSE(fs::exists(directory_.File("meta-syncer/" + IdOf(1).ToString())));
}

TEST_P(FetcherTest, AStartWithKeptMetasIsOneListing) {
  for (int i = 0; i < 20; ++i) PutMeta(bucket_, MakeMeta(i));
  EXPECT_THAT(Fetch()->metas, SizeIs(20));
  Restart({});
  EXPECT_THAT(Fetch()->metas, SizeIs(20));
  EXPECT_EQ(bucket_.calls, 1);
  // A block that is gone but for a rest is found to be so by the next fetch.
  ASSERT_TRUE(bucket_.Delete(context_, ObjectName(IdOf(7), kMetaFile)).ok());
  EXPECT_THAT(Fetch()->metas, SizeIs(19));
}

TEST_P(FetcherTest, AKeptMetaThatIsDamagedIsReadAgain) {
  PutMeta(bucket_, MakeMeta(1));
  PutMeta(bucket_, MakeMeta(2));
  ASSERT_THAT(Fetch()->metas, SizeIs(2));
  const std::string kept = directory_.File("meta-syncer/" + IdOf(1).ToString() + "/meta.json");
  EXPECT_EQ(*ReadFile(kept), MakeMeta(1).Write());
  ASSERT_TRUE(WriteFileAtomically(kept, "{").ok());
  Restart({});
  EXPECT_THAT(Keys(Fetch()->metas), ElementsAre(IdOf(1), IdOf(2)));
  EXPECT_EQ(*ReadFile(kept), MakeMeta(1).Write());
}

TEST_P(FetcherTest, AMetaThatChangesIsReadAgain) {
  PutMeta(bucket_, MakeMeta(1));
  ASSERT_THAT(Fetch()->metas, SizeIs(1));
  Meta changed = MakeMeta(1);
  changed.extensions = *JsonValue::ParseWhole(R"({"parquet_migrated":true})");
  PutMeta(bucket_, changed);
  EXPECT_TRUE(Fetch()->metas.at(IdOf(1))->IsParquetMigrated());
  EXPECT_EQ(Metric(process_->registry, "thanos_blocks_meta_base_cache_busts_total", ""), 1);
}

TEST_P(FetcherTest, ABlockThatCanNotBeLookedAtNowIsNoReasonToForgetIt) {
  PutMeta(bucket_, MakeMeta(1));
  PutMeta(bucket_, MakeMeta(2));
  bucket_.fail = ObjectName(IdOf(2), kMetaFile);
  auto fetched = Fetch();
  EXPECT_THAT(Keys(fetched->metas), ElementsAre(IdOf(1)));
  EXPECT_EQ(fetched->complete.code(), StatusCode::kUnavailable);
  EXPECT_EQ(Synced("failed"), 1);
  bucket_.fail.clear();
  EXPECT_TRUE(Fetch()->complete.ok());
  bucket_.fail = ObjectName(IdOf(2), kMetaFile);
  fetched = Fetch();
  EXPECT_THAT(Keys(fetched->metas), ElementsAre(IdOf(1), IdOf(2)));
}

TEST_P(FetcherTest, AListingThatFailsIsAnError) {
  bucket_.fail = "";
  bucket_.fail_listing = true;
  EXPECT_EQ(process_->fetcher->Fetch(context_).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Metric(process_->registry, "thanos_blocks_meta_sync_failures_total", ""), 1);
}

TEST_P(FetcherTest, MarkedBlocksGoAfterTheDelay) {
  FakeClock clock(kNow);
  for (int i = 1; i <= 4; ++i) PutMeta(bucket_, MakeMeta(i));
  const auto mark = [&](int block, TimestampMs time) {
    Mark deletion;
    deletion.block = IdOf(block);
    deletion.time_seconds = time / 1000;
    ASSERT_TRUE(*PutMark(context_, bucket_, deletion));
  };
  mark(1, kNow - 3'700'000);
  mark(2, kNow - 3'500'000);
  Put(bucket_, ObjectName(IdOf(3), MarkFile(MarkKind::kDeletion)), "damaged");
  auto filter = std::make_shared<DeletionMarkFilter>(
      DeletionMarkFilter::Options{.delay = std::chrono::hours(1), .concurrency = 4}, bucket_,
      Logger(), clock);
  Restart({filter});
  EXPECT_THAT(Keys(Fetch()->metas), ElementsAre(IdOf(2), IdOf(3), IdOf(4)));
  EXPECT_EQ(Synced("marked-for-deletion"), 1);
  EXPECT_THAT(*filter->marks(), SizeIs(2));
  clock.Advance(200'000);
  EXPECT_THAT(Keys(Fetch()->metas), ElementsAre(IdOf(3), IdOf(4)));
  bucket_.fail = ObjectName(IdOf(3), MarkFile(MarkKind::kDeletion));
  EXPECT_EQ(process_->fetcher->Fetch(context_).status().code(), StatusCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(Discovery, FetcherTest,
                         ::testing::Values(Discovery::kConcurrent, Discovery::kRecursive),
                         [](const auto& test) {
                           return test.param == Discovery::kConcurrent ? "Concurrent" : "Recursive";
                         });

}  // namespace
}  // namespace aevum::block
