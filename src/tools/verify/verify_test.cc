#include "tools/verify/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "block/filters.h"
#include "block/marks.h"
#include "block/testing/blocks.h"
#include "tools/bucket_blocks.h"
#include "tools/testing/recorded_log.h"
#include "tools/verify/block_check.h"
#include "tools/verify/overlaps.h"

namespace aevum::tools {
namespace {

using block::ObjectName;
using block::testing::CountingBucket;
using block::testing::IdOf;
using block::testing::MakeMeta;
using block::testing::Put;
using block::testing::PutMeta;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// A block of promtool's, see tsdb/testdata/README.md.
const std::string kBlock = AEVUM_SOURCE_DIR "/src/tsdb/testdata/block";

class VerifyTest : public ::testing::Test {
 protected:
  // Its meta, under another ULID, and its files.
  block::Meta PutBlock(int number) {
    block::Meta meta = *block::ReadMetaFile(kBlock);
    meta.ulid = IdOf(number);
    meta.labels = {{"cluster", "eu"}};
    for (const std::string file : {"index", "chunks/000001"}) {
      const std::string bytes = *ReadFile(kBlock + "/" + file);
      Put(bucket_, ObjectName(meta.ulid, file), bytes);
      meta.files.push_back({.path = file, .size_bytes = static_cast<std::int64_t>(bytes.size())});
    }
    PutMeta(bucket_, meta);
    return meta;
  }
  Status Run(VerifyOptions options) {
    prometheus::Registry metrics;
    ProgressBar silent("", nullptr);
    const Logger logger = log_.logger();
    block::MetaFetcher fetcher(MakeMetaReader(bucket_, 4, logger, metrics),
                               {std::make_shared<block::DeletionMarkFilter>(
                                   block::DeletionMarkFilter::Options{}, bucket_, logger)},
                               logger, metrics, std::string(kMetaMetrics));
    Verifier verifier(std::move(options), bucket_, &backup_, fetcher, silent, logger, metrics);
    return verifier.Run(Context::Background());
  }

  CountingBucket bucket_, backup_;
  testing::RecordedLog log_;
};

TEST_F(VerifyTest, PassesAWholeBlock) {
  PutBlock(1);
  EXPECT_TRUE(Run({}).ok());
  EXPECT_THAT(log_.lines(), Not(Contains(HasSubstr("level=warn"))));
  EXPECT_THAT(log_.lines(),
              Contains(AllOf(HasSubstr("verifiers=overlapped_blocks,index_known_issues"),
                             HasSubstr("msg=\"verify task completed\""))));
}

TEST_F(VerifyTest, FindsEveryFlippedByteOfABlock) {
  const block::Meta meta = PutBlock(1);
  ProgressBar silent("", nullptr);
  for (const std::string file : {"index", "chunks/000001"}) {
    const std::string name = ObjectName(meta.ulid, file);
    const std::string bytes = *ReadFile(kBlock + "/" + file);
    std::size_t missed = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
      Put(bucket_, name, damaged);
      const auto health = CheckBlock(Context::Background(), bucket_, meta, silent);
      if (health.ok()) {
        ++missed;
      } else {
        EXPECT_THAT(std::string(health.status().message()), HasSubstr(file)) << at;
      }
    }
    // Bytes that no reader looks at: the rest of a segment's header; in an index the padding
    // between series and the label indices, which readers of version 2 do without.
    EXPECT_LE(missed, file == "index" ? bytes.size() / 3 : 3) << file;
    Put(bucket_, name, bytes);
  }
}

TEST_F(VerifyTest, NamesDamageAndGoesOn) {
  PutBlock(1);
  PutBlock(2);
  Put(bucket_, ObjectName(IdOf(1), "index"), "no index");
  const Status status = Run({.issues = {"index_known_issues"}});
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("damaged: 1"));
  EXPECT_THAT(log_.lines(),
              Contains(AllOf(HasSubstr("detected issue"), HasSubstr("id=" + IdOf(1).ToString()),
                             HasSubstr("by meta.json"))));
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("msg=\"verified issue\"")));
}

TEST_F(VerifyTest, FindsChunksOutsideTheTimesOfTheBlock) {
  block::Meta meta = PutBlock(1);
  meta.max_time = meta.min_time + 10'000;
  PutMeta(bucket_, meta);
  EXPECT_TRUE(Run({.issues = {"index_known_issues"}}).ok());
  EXPECT_THAT(log_.lines(),
              Contains(HasSubstr("chunks non-completely outside the block time range")));
  // This version can't write blocks anew, and says so.
  const Status repair = Run({.issues = {"index_known_issues"}, .repair = true});
  EXPECT_EQ(repair.code(), StatusCode::kUnimplemented);
}

TEST_F(VerifyTest, LooksAtTheBlocksItIsAskedFor) {
  PutBlock(1);
  PutBlock(2);
  Put(bucket_, ObjectName(IdOf(1), "index"), "no index");
  EXPECT_TRUE(Run({.issues = {"index_known_issues"}, .ids = {IdOf(2)}}).ok());
}

TEST_F(VerifyTest, RefusesWhatItCanNotDo) {
  EXPECT_THAT(std::string(Run({.issues = {"nothing"}}).message()),
              HasSubstr("no such issue ID nothing; there are overlapped_blocks"));
  prometheus::Registry metrics;
  ProgressBar silent("", nullptr);
  block::MetaFetcher fetcher(MakeMetaReader(bucket_, 4, Logger(), metrics), {}, Logger(), metrics);
  Verifier without({.repair = true}, bucket_, nullptr, fetcher, silent, Logger(), metrics);
  EXPECT_THAT(std::string(without.Run(Context::Background()).message()),
              HasSubstr("--objstore-backup.config"));
}

TEST_F(VerifyTest, RemovesSecondCopiesOnceTheyAreSafe) {
  block::Meta first = PutBlock(1);
  block::Meta second = PutBlock(2);
  second.compaction.sources = first.compaction.sources = {IdOf(8), IdOf(9)};
  PutMeta(bucket_, first);
  PutMeta(bucket_, second);
  EXPECT_TRUE(Run({.issues = {"duplicated_compaction"}}).ok());
  EXPECT_THAT(log_.lines(),
              Contains(AllOf(HasSubstr("ok to be removed"),
                             HasSubstr("ULIDs=[" + IdOf(2).ToString() + "]"), HasSubstr("num=1"))));
  EXPECT_THAT(block::testing::List(backup_), ElementsAre());

  FakeClock clock(5'000);
  EXPECT_TRUE(Run({.issues = {"duplicated_compaction"},
                   .repair = true,
                   .delete_delay = std::chrono::hours(1),
                   .clock = &clock})
                  .ok());
  EXPECT_EQ(block::ReadMark(Context::Background(), bucket_, block::MarkKind::kDeletion, IdOf(2))
                ->time_seconds,
            5);
  EXPECT_EQ(block::testing::List(backup_).size(), 3U);

  // Marked, it is no copy any more that could be removed.
  EXPECT_TRUE(Run({.issues = {"duplicated_compaction"}, .repair = true}).ok());
  EXPECT_EQ(block::testing::List(bucket_, IdOf(2).ToString()).size(), 4U);
  const std::string mark = ObjectName(IdOf(2), block::MarkFile(block::MarkKind::kDeletion));
  ASSERT_TRUE(bucket_.Delete(Context::Background(), mark).ok());

  // What the backup bucket has already may be the block itself.
  EXPECT_EQ(Run({.issues = {"duplicated_compaction"}, .repair = true}).code(),
            StatusCode::kAlreadyExists);
  for (const std::string& name : block::testing::List(backup_))
    ASSERT_TRUE(backup_.Delete(Context::Background(), name).ok());
  EXPECT_TRUE(Run({.issues = {"duplicated_compaction"}, .repair = true}).ok());
  EXPECT_THAT(block::testing::List(bucket_, IdOf(2).ToString()), ElementsAre());
  EXPECT_EQ(block::testing::List(bucket_, IdOf(1).ToString()).size(), 3U);
}

TEST_F(VerifyTest, TakesOnlyWhatHoldsTheSameForACopy) {
  const block::Meta first = PutBlock(1);
  block::Meta higher = PutBlock(2), more = PutBlock(3);
  higher.compaction.level = first.compaction.level + 1;
  ++more.stats.samples;
  PutMeta(bucket_, higher);
  PutMeta(bucket_, more);
  block::Meta without = PutBlock(4), other = PutBlock(5);
  without.compaction.sources = other.compaction.sources = {};
  PutMeta(bucket_, without);
  PutMeta(bucket_, other);
  EXPECT_TRUE(Run({.issues = {"duplicated_compaction"}, .repair = true}).ok());
  EXPECT_THAT(log_.lines(), Contains(HasSubstr("num=0")));
  EXPECT_THAT(block::testing::List(backup_), ElementsAre());
}

TEST_F(VerifyTest, KeepsACopyThatCanNotBeBackedUp) {
  for (const int number : {1, 2}) {
    block::Meta meta = PutBlock(number);
    meta.compaction.sources = {IdOf(8), IdOf(9)};
    PutMeta(bucket_, meta);
  }
  Put(backup_, ObjectName(IdOf(2), block::kMetaFile), MakeMeta(2).Write());
  const Status status = Run({.issues = {"duplicated_compaction"}, .repair = true});
  EXPECT_EQ(status.code(), StatusCode::kAlreadyExists) << status;
  EXPECT_EQ(block::testing::List(bucket_, IdOf(2).ToString()).size(), 3U);
}

TEST(OverlapsTest, FindsTheLargestSets) {
  struct Times {
    TimestampMs min, max;
  };
  const auto find = [](const std::vector<Times>& all) {
    block::MetaMap metas;
    for (std::size_t i = 0; i < all.size(); ++i) {
      block::Meta meta = MakeMeta(static_cast<int>(i));
      meta.min_time = all[i].min;
      meta.max_time = all[i].max;
      metas[meta.ulid] = std::make_shared<const block::Meta>(meta);
    }
    std::vector<std::string> shown;
    for (const auto& [group, overlaps] : FindOverlaps(metas)) {
      for (const Overlap& overlap : overlaps)
        shown.push_back(
            fmt::format("{}-{}x{}", overlap.min_time, overlap.max_time, overlap.blocks.size()));
    }
    return shown;
  };
  EXPECT_THAT(find({{0, 10}, {10, 20}, {20, 30}}), ElementsAre());
  EXPECT_THAT(find({{0, 10}, {0, 10}}), ElementsAre("0-10x2"));
  EXPECT_THAT(find({{0, 10}, {5, 15}, {10, 20}}), ElementsAre("5-10x2", "10-15x2"));
  EXPECT_THAT(find({{0, 30}, {1, 5}, {6, 9}, {7, 8}}), ElementsAre("1-5x2", "7-8x3"));
  EXPECT_THAT(find({{-20, -10}, {-15, 5}}), ElementsAre("-15--10x2"));
}

TEST(OverlapsTest, LooksAtEachGroupAlone) {
  block::Meta a = MakeMeta(0), b = MakeMeta(0), c = MakeMeta(0);
  b.ulid = IdOf(1);
  b.labels["cluster"] = "us";
  c.ulid = IdOf(2);
  c.resolution_ms = 300'000;
  block::MetaMap metas;
  for (const block::Meta& meta : {a, b, c})
    metas[meta.ulid] = std::make_shared<const block::Meta>(meta);
  EXPECT_TRUE(FindOverlaps(metas).empty());
}

}  // namespace
}  // namespace aevum::tools
