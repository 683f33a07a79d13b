#include "compact/choices.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "block/filters.h"
#include "chunk/testing/vectors.h"
#include "compact/groups.h"

namespace aevum::compact {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Ids = std::vector<std::string>;

constexpr TimestampMs kHour = 3'600'000;

block::MetaMap ReadMetas(const json& lines) {
  block::MetaMap metas;
  for (const json& line : lines) {
    auto meta = std::make_shared<block::Meta>();
    meta->ulid = *model::Ulid::Parse(line["ulid"].get<std::string>());
    meta->min_time = line["minTime"];
    meta->max_time = line["maxTime"];
    meta->resolution_ms = line["resolution"];
    meta->compaction.level = line["level"];
    if (line.contains("labels")) meta->labels = line["labels"];
    if (line.contains("sources")) {
      for (const json& source : line["sources"])
        meta->compaction.sources.push_back(*model::Ulid::Parse(source.get<std::string>()));
    }
    metas[meta->ulid] = std::move(meta);
  }
  return metas;
}

Ids IdsOf(const std::vector<MetaPointer>& blocks) {
  Ids ids;
  for (const MetaPointer& meta : blocks) ids.push_back(meta->ulid.ToString());
  return ids;
}

TEST(ChoicesTest, DownsamplesWhatThanosDoes) {
  const std::vector<json> lines =
      chunk::testing::ReadVectors("planning/downsample_candidates.jsonl.gz");
  if (lines.empty()) GTEST_SKIP() << "the golden vectors are not here";
  for (const json& line : lines) {
    SCOPED_TRACE(line["id"].dump());
    std::vector<std::pair<std::string, std::int64_t>> wanted;
    std::vector<std::pair<std::string, std::int64_t>> found;
    if (!line["downsample"].is_null()) {
      for (const json& one : line["downsample"])
        wanted.emplace_back(one["ulid"], one["to_resolution"]);
    }
    for (const DownsampleTask& task : ChooseDownsampling(ReadMetas(line["metas"]), {}))
      found.emplace_back(task.block->ulid.ToString(), task.resolution_ms);
    std::ranges::sort(wanted);
    std::ranges::sort(found);
    // Thanos stops at a resolution that nobody knows; here the other blocks go on.
    if (!line.contains("error")) {
      EXPECT_EQ(found, wanted);
    }
    for (const auto& [ulid, resolution_ms] : found)
      EXPECT_TRUE(resolution_ms == 300'000 || resolution_ms == 3'600'000) << ulid;
  }
}

TEST(ChoicesTest, ExpiresWhatThanosDoes) {
  const std::vector<json> lines = chunk::testing::ReadVectors("planning/retention.jsonl.gz");
  if (lines.empty()) GTEST_SKIP() << "the golden vectors are not here";
  for (const json& line : lines) {
    SCOPED_TRACE(line["id"].dump());
    const json& seconds = line["retention"];
    ExpiryOptions options;
    options.retention.raw = std::chrono::seconds(seconds["raw_s"].get<std::int64_t>());
    options.retention.five_minutes = std::chrono::seconds(seconds["5m_s"].get<std::int64_t>());
    options.retention.one_hour = std::chrono::seconds(seconds["1h_s"].get<std::int64_t>());
    Ids wanted;
    if (!line["marked_for_deletion"].is_null()) wanted = line["marked_for_deletion"].get<Ids>();
    std::ranges::sort(wanted);
    EXPECT_EQ(IdsOf(ChooseExpired(ReadMetas(line["metas"]), options, line["now_ms"]).expired),
              wanted);
  }
}

TEST(ChoicesTest, GroupsAsThanosDoes) {
  const std::vector<json> lines = chunk::testing::ReadVectors("planning/groups.jsonl.gz");
  if (lines.empty()) GTEST_SKIP() << "the golden vectors are not here";
  for (const json& line : lines) {
    SCOPED_TRACE(line["id"].dump());
    block::FetchView view;
    view.metas = ReadMetas(line["metas"]);
    if (!line["replica_labels_removed"].is_null()) {
      block::ReplicaLabelRemover remover(line["replica_labels_removed"].get<Ids>());
      ASSERT_TRUE(remover.Apply(Context::Background(), view).ok());
    }
    std::map<std::string, Ids> wanted;
    for (const json& group : line["groups"]) {
      // Blocks without labels can't be uploaded: they are left alone.
      if (group["labels"].empty()) continue;
      wanted[group["key"]] = group["blocks_sorted_by_id"].get<Ids>();
    }
    std::map<std::string, Ids> found;
    for (const Group& group : MakeGroups(view.metas)) {
      Ids ids = IdsOf(group.blocks);
      std::ranges::sort(ids);
      found[group.key] = ids;
    }
    EXPECT_EQ(found, wanted);
  }
}

MetaPointer Block(int number, std::int64_t resolution_ms, TimestampMs begin, TimestampMs end,
                  const char* source) {
  auto meta = std::make_shared<block::Meta>();
  meta->ulid = *model::Ulid::Parse("0000000000000000000000000" + std::to_string(number));
  meta->resolution_ms = resolution_ms;
  meta->min_time = begin;
  meta->max_time = end;
  meta->compaction.sources = {*model::Ulid::Parse(source)};
  return meta;
}

block::MetaMap MapOf(const std::vector<MetaPointer>& blocks) {
  block::MetaMap map;
  for (const MetaPointer& meta : blocks) map[meta->ulid] = meta;
  return map;
}

TEST(ChoicesTest, ABlockWaitsForItsCoarseCopy) {
  constexpr const char* kSource = "01HF5ZRVG05ZH6JSNY0Y59HXY0";
  const MetaPointer raw = Block(1, 0, 0, 48 * kHour, kSource);
  const MetaPointer coarse = Block(2, 300'000, 0, 48 * kHour, kSource);
  const TimestampMs now = 1000 * kHour;
  ExpiryOptions options;
  options.retention.raw = std::chrono::hours(100);

  const Expiry waiting = ChooseExpired(MapOf({raw}), options, now);
  EXPECT_THAT(waiting.expired, IsEmpty());
  EXPECT_THAT(waiting.waiting, ElementsAre(raw));
  EXPECT_THAT(ChooseExpired(MapOf({raw, coarse}), options, now).expired, ElementsAre(raw));

  struct Case {
    const char* name;
    std::function<void(ExpiryOptions&)> change;
  };
  const Case cases[] = {
      {"no copy is made", [](ExpiryOptions& o) { o.downsampling = false; }},
      {"marked", [&](ExpiryOptions& o) { o.no_downsample.insert(raw->ulid); }},
      {"the copy would expire",
       [](ExpiryOptions& o) { o.retention.five_minutes = o.retention.raw; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    ExpiryOptions changed = options;
    c.change(changed);
    EXPECT_THAT(ChooseExpired(MapOf({raw}), changed, now).expired, ElementsAre(raw));
  }
}

TEST(ChoicesTest, AbsurdTimesHarmNothing) {
  constexpr const char* kSource = "01HF5ZRVG05ZH6JSNY0Y59HXY0";
  const MetaPointer widest = Block(1, 0, INT64_MIN, INT64_MAX, kSource);
  const MetaPointer reversed = Block(2, 0, INT64_MAX, INT64_MIN, kSource);
  ExpiryOptions options;
  options.retention.raw = std::chrono::hours(1);
  const Expiry expiry = ChooseExpired(MapOf({widest, reversed}), options, INT64_MAX);
  EXPECT_THAT(expiry.expired, ElementsAre(reversed));
  const std::vector<DownsampleTask> tasks = ChooseDownsampling(MapOf({widest, reversed}), {});
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].block, widest);
}

TEST(ChoicesTest, TheNewestIsMadeCoarserFirst) {
  const MetaPointer old = Block(1, 0, 0, 48 * kHour, "01HF5ZRVG05ZH6JSNY0Y59HXY0");
  const MetaPointer young = Block(2, 0, 96 * kHour, 144 * kHour, "01HF66MJR0604ECJJX2XHNGZA4");
  const std::vector<DownsampleTask> tasks = ChooseDownsampling(MapOf({old, young}), {});
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].block, young);
  EXPECT_EQ(ChooseDownsampling(MapOf({old, young}), {young->ulid}).size(), 1U);
}

}  // namespace
}  // namespace aevum::compact
