#include "block/filters.h"

#include <prometheus/registry.h>

#include <filesystem>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "block/testing/blocks.h"
#include "chunk/testing/vectors.h"

namespace aevum::block {
namespace {

using ::testing::ElementsAre;
using testing::IdOf;
using testing::MakeMeta;

constexpr TimestampMs kNow = 1'800'000'000'000;
const std::string kPlanning = AEVUM_SHARED_DIR "/golden/vectors/planning/";

FetchView ViewOf(std::vector<Meta> metas) {
  FetchView view;
  for (Meta& meta : metas) {
    const model::Ulid block = meta.ulid;
    view.metas[block] = std::make_shared<const Meta>(std::move(meta));
  }
  return view;
}

std::vector<model::Ulid> After(MetaFilter& filter, std::vector<Meta> metas, BlockState dropped) {
  FetchView view = ViewOf(std::move(metas));
  const std::size_t before = view.metas.size();
  const Status status = filter.Apply(Context::Background(), view);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(view.states[static_cast<std::size_t>(dropped)], before - view.metas.size());
  std::vector<model::Ulid> kept;
  for (const auto& [block, meta] : view.metas) kept.push_back(block);
  return kept;
}

Meta At(int number, TimestampMs min_time, TimestampMs max_time) {
  Meta meta = MakeMeta(number);
  meta.min_time = min_time;
  meta.max_time = max_time;
  return meta;
}

TEST(TimePartitionFilterTest, KeepsWhatTouchesTheRange) {
  const FakeClock clock(kNow);
  TimePartitionFilter filter(*TimeOrDuration::Parse("-2h"), *TimeOrDuration::Parse("-1h"), clock);
  const TimestampMs hour = 3'600'000;
  const std::vector<Meta> metas = {At(1, kNow - 4 * hour, kNow - 2 * hour - 1),
                                   At(2, kNow - 4 * hour, kNow - 2 * hour),
                                   At(3, kNow - hour, kNow), At(4, kNow - hour + 1, kNow)};
  EXPECT_THAT(After(filter, metas, BlockState::kTimeExcluded), ElementsAre(IdOf(2), IdOf(3)));
}

TEST(LabelFilterTest, SelectsByLabelsAndBlock) {
  Meta eu = MakeMeta(1);
  eu.labels = {{"cluster", "eu"}};
  Meta us = MakeMeta(2);
  us.labels = {{"cluster", "us"}};
  auto filter = *LabelFilter::Create("- {action: keep, source_labels: [cluster], regex: e.}");
  EXPECT_THAT(After(*filter, {eu, us}, BlockState::kLabelExcluded), ElementsAre(IdOf(1)));
  filter = *LabelFilter::Create(
      "- {action: drop, source_labels: [__block_id], regex: " + IdOf(1).ToString() + "}");
  EXPECT_THAT(After(*filter, {eu, us}, BlockState::kLabelExcluded), ElementsAre(IdOf(2)));
}

TEST(LabelFilterTest, HashModSharesBlocksOut) {
  std::vector<Meta> metas;
  for (int i = 0; i < 100; ++i) metas.push_back(MakeMeta(i));
  std::size_t kept = 0;
  for (const char* shard : {"0", "1", "2"}) {
    const auto filter = *LabelFilter::Create(fmt::format(
        "- {{action: hashmod, source_labels: [__block_id], target_label: shard, modulus: 3}}\n"
        "- {{action: keep, source_labels: [shard], regex: {}}}",
        shard));
    const std::size_t mine = After(*filter, metas, BlockState::kLabelExcluded).size();
    EXPECT_GT(mine, 10U);
    kept += mine;
  }
  EXPECT_EQ(kept, 100U);
}

TEST(LabelFilterTest, RefusesOtherActions) {
  EXPECT_EQ(LabelFilter::Create("- {action: labeldrop, regex: x}").status().code(),
            StatusCode::kInvalidArgument);
}

TEST(ConsistencyDelayFilterTest, CountsFromTheUploadOrTheId) {
  FakeClock clock(kNow);
  prometheus::Registry registry;
  ConsistencyDelayFilter filter(std::chrono::minutes(30), registry,
                                "thanos_consistency_delay_seconds", clock);
  Meta fresh = MakeMeta(1);
  fresh.upload_time = {.seconds = kNow / 1000 - 1700};
  Meta old = MakeMeta(2);
  old.upload_time = {.seconds = kNow / 1000 - 1900};
  Meta compacted = fresh;
  compacted.ulid = IdOf(3);
  compacted.source = kSourceCompactor;
  const Meta by_id = MakeMeta(4);  // made in 2023
  EXPECT_THAT(After(filter, {fresh, old, compacted, by_id}, BlockState::kTooFresh),
              ElementsAre(IdOf(2), IdOf(3), IdOf(4)));
  clock.Set(by_id.ulid.time_ms() + 1000);
  EXPECT_THAT(After(filter, {by_id}, BlockState::kTooFresh), ElementsAre());
}

TEST(ParquetMigratedFilterTest, LeavesConvertedBlocksOut) {
  Meta converted = MakeMeta(1);
  converted.extensions = *JsonValue::ParseWhole(R"({"parquet_migrated":true})");
  Meta not_converted = MakeMeta(2);
  not_converted.extensions = *JsonValue::ParseWhole(R"({"parquet_migrated":false})");
  ParquetMigratedFilter filter;
  EXPECT_THAT(After(filter, {converted, not_converted, MakeMeta(3)}, BlockState::kParquetMigrated),
              ElementsAre(IdOf(2), IdOf(3)));
}

Meta ReadVector(const nlohmann::json& json) {
  Meta meta;
  meta.ulid = *model::Ulid::Parse(json["ulid"].get<std::string>());
  if (json.contains("labels") && !json["labels"].is_null())
    meta.labels = json["labels"].get<std::map<std::string, std::string>>();
  meta.resolution_ms = json["resolution"];
  if (!json.contains("sources")) return meta;
  for (const auto& source : json["sources"])
    meta.compaction.sources.push_back(*model::Ulid::Parse(source.get<std::string>()));
  return meta;
}

TEST(DuplicateFilterTest, HidesWhatTheReferenceHides) {
  const std::string path = kPlanning + "duplicates.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::istringstream stream(chunk::testing::ReadGzip(path));
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    const auto vector = nlohmann::json::parse(line);
    SCOPED_TRACE(vector["id"].dump());
    std::vector<Meta> metas;
    for (const auto& meta : vector["metas"]) metas.push_back(ReadVector(meta));
    DuplicateFilter filter;
    FetchView view = ViewOf(metas);
    ASSERT_TRUE(filter.Apply(Context::Background(), view).ok());
    std::vector<std::string> hidden;
    for (const model::Ulid& block : *filter.duplicates()) hidden.push_back(block.ToString());
    std::vector<std::string> expected;
    if (!vector["duplicates"].is_null())
      expected = vector["duplicates"].get<std::vector<std::string>>();
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(hidden, expected);
    EXPECT_EQ(view.metas.size() + hidden.size(), metas.size());
  }
  EXPECT_GE(lines, 40);
}

TEST(ReplicaLabelRemoverTest, ReplicasFallIntoOneGroup) {
  Meta a = MakeMeta(1);
  a.labels = {{"cluster", "eu"}, {"replica", "0"}, {"rule_replica", "x"}};
  Meta b = MakeMeta(2);
  b.labels = {{"cluster", "eu"}, {"replica", "1"}};
  Meta alone = MakeMeta(3);
  alone.labels = {{"replica", "1"}};
  FetchView view = ViewOf({a, b, alone});
  ReplicaLabelRemover remover({"replica", "rule_replica"});
  ASSERT_TRUE(remover.Apply(Context::Background(), view).ok());
  EXPECT_EQ(view.metas.at(IdOf(1))->GroupKey(), view.metas.at(IdOf(2))->GroupKey());
  EXPECT_EQ(view.metas.at(IdOf(3))->labels,
            (std::map<std::string, std::string>{{"replica", "deduped"}}));
  EXPECT_EQ(view.labels_removed, 3U);
}

TEST(ReplicaLabelRemoverTest, GroupsAreThoseOfTheReference) {
  const std::string path = kPlanning + "groups.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::istringstream stream(chunk::testing::ReadGzip(path));
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    const auto vector = nlohmann::json::parse(line);
    SCOPED_TRACE(vector["id"].dump());
    std::vector<Meta> metas;
    for (const auto& meta : vector["metas"]) metas.push_back(ReadVector(meta));
    FetchView view = ViewOf(metas);
    const auto& removed = vector["replica_labels_removed"];
    ReplicaLabelRemover remover(removed.is_null() ? std::vector<std::string>()
                                                  : removed.get<std::vector<std::string>>());
    ASSERT_TRUE(remover.Apply(Context::Background(), view).ok());
    std::map<std::string, std::vector<std::string>> groups;
    for (const auto& [block, meta] : view.metas)
      groups[meta->GroupKey()].push_back(block.ToString());
    std::map<std::string, std::vector<std::string>> expected;
    for (const auto& group : vector["groups"])
      expected[group["key"]] = group["blocks_sorted_by_id"].get<std::vector<std::string>>();
    EXPECT_EQ(groups, expected);
  }
  EXPECT_GT(lines, 10);
}

}  // namespace
}  // namespace aevum::block
