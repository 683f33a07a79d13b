#include "compaction/downsample_choice.h"

#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "block/testing/blocks.h"
#include "chunk/testing/vectors.h"
#include "compaction/downsample.h"

namespace aevum::compaction {
namespace {

using block::Meta;
using block::testing::IdOf;
using block::testing::MakeMeta;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimestampMs kHour = 3'600'000;

Meta MakeBlock(int number, std::int64_t resolution_ms, TimestampMs hours,
               std::vector<int> sources) {
  Meta meta = MakeMeta(number);
  meta.resolution_ms = resolution_ms;
  meta.min_time = number * 1000 * kHour;
  meta.max_time = meta.min_time + hours * kHour;
  meta.compaction.sources.clear();
  for (const int source : sources) meta.compaction.sources.push_back(IdOf(source));
  return meta;
}

// The blocks chosen, in order, with the resolution they get.
std::vector<std::pair<model::Ulid, std::int64_t>> Choose(const std::vector<Meta>& blocks,
                                                         const std::set<model::Ulid>& marked = {}) {
  block::MetaMap metas;
  for (const Meta& meta : blocks) metas[meta.ulid] = std::make_shared<const Meta>(meta);
  std::vector<std::pair<model::Ulid, std::int64_t>> chosen;
  for (const DownsampleTask& task : BlocksToDownsample(metas, marked))
    chosen.emplace_back(task.meta->ulid, task.resolution_ms);
  return chosen;
}

TEST(DownsampleChoiceTest, TakesLongBlocksWhoseSourcesAreNotAllThereNewestFirst) {
  const Meta old_raw = MakeBlock(1, kResolutionRaw, 40, {101, 102});
  const Meta new_raw = MakeBlock(2, kResolutionRaw, 48, {103});
  const Meta coarse = MakeBlock(3, kResolution5m, 240, {101});
  EXPECT_THAT(Choose({old_raw, new_raw, coarse}),
              ElementsAre(std::pair(IdOf(3), kResolution1h), std::pair(IdOf(2), kResolution5m),
                          std::pair(IdOf(1), kResolution5m)));
  EXPECT_THAT(Choose({old_raw, new_raw, coarse}, {IdOf(2), IdOf(3)}),
              ElementsAre(std::pair(IdOf(1), kResolution5m)));
}

TEST(DownsampleChoiceTest, LeavesAloneWhatIsShortDoneOrCoarse) {
  struct Case {
    std::string name;
    std::vector<Meta> blocks;
  };
  Meta backwards = MakeBlock(1, kResolutionRaw, 0, {101});
  backwards.min_time = INT64_MAX;
  backwards.max_time = INT64_MIN;
  Meta almost = MakeBlock(1, kResolutionRaw, 40, {101});
  --almost.max_time;
  const Case cases[] = {
      {"nothing", {}},
      {"a millisecond short of 40 h", {almost}},
      {"5 m of less than 10 d", {MakeBlock(1, kResolution5m, 239, {101})}},
      {"all sources are there, in two blocks",
       {MakeBlock(1, kResolutionRaw, 48, {101, 102}), MakeBlock(2, kResolution5m, 20, {101}),
        MakeBlock(3, kResolution5m, 20, {102, 103})}},
      {"1 h is the coarsest", {MakeBlock(1, kResolution1h, 480, {101})}},
      {"a resolution that nobody knows", {MakeBlock(1, 60'000, 480, {101})}},
      {"no sources", {MakeBlock(1, kResolutionRaw, 48, {})}},
      {"ends before it begins", {backwards}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(Choose(c.blocks), IsEmpty());
  }
}

TEST(DownsampleChoiceTest, TakesABlockOfAllTimes) {
  Meta endless = MakeBlock(1, kResolutionRaw, 0, {101});
  endless.min_time = INT64_MIN;
  endless.max_time = INT64_MAX;
  EXPECT_THAT(Choose({endless}), ElementsAre(std::pair(IdOf(1), kResolution5m)));
}

TEST(DownsampleChoiceTest, ChoosesWhatTheReferenceDoes) {
  const std::string path =
      AEVUM_SHARED_DIR "/golden/vectors/planning/downsample_candidates.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::istringstream stream(chunk::testing::ReadGzip(path));
  int chosen = 0;
  for (std::string line; std::getline(stream, line);) {
    const auto vector = nlohmann::json::parse(line);
    SCOPED_TRACE(vector["id"].dump());
    // It gives up on a resolution that it does not know, we leave that block alone.
    if (vector.contains("error")) continue;
    std::vector<Meta> metas;
    for (const auto& entry : vector["metas"]) {
      Meta& meta = metas.emplace_back();
      meta.ulid = *model::Ulid::Parse(entry["ulid"].get<std::string>());
      meta.min_time = entry["minTime"];
      meta.max_time = entry["maxTime"];
      meta.resolution_ms = entry["resolution"];
      for (const auto& source : entry.value("sources", nlohmann::json::array()))
        meta.compaction.sources.push_back(*model::Ulid::Parse(source.get<std::string>()));
    }
    std::set<std::pair<model::Ulid, std::int64_t>> expected;
    for (const auto& entry : vector["downsample"]) {
      expected.emplace(*model::Ulid::Parse(entry["ulid"].get<std::string>()),
                       entry["to_resolution"].get<std::int64_t>());
    }
    const auto ours = Choose(metas);
    EXPECT_EQ((std::set<std::pair<model::Ulid, std::int64_t>>(ours.begin(), ours.end())), expected);
    chosen += static_cast<int>(ours.size());
  }
  EXPECT_GT(chosen, 50);
}

}  // namespace
}  // namespace aevum::compaction
