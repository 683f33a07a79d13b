#include "compaction/planner.h"

#include <algorithm>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "chunk/testing/vectors.h"

namespace aevum::compaction {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimestampMs kHour = 3'600'000;

MetaPointer ReadMeta(const json& line) {
  auto meta = std::make_shared<block::Meta>();
  meta->ulid = *model::Ulid::Parse(line["ulid"].get<std::string>());
  meta->min_time = line["minTime"];
  meta->max_time = line["maxTime"];
  meta->resolution_ms = line["resolution"];
  meta->compaction.level = line["level"];
  meta->compaction.failed = line.value("failed", false);
  meta->stats.tombstones = line.value("numTombstones", std::uint64_t{0});
  meta->stats.series = line.value("numSeries", std::uint64_t{0});
  if (line.contains("index_size"))
    meta->files.push_back({.path = "index", .size_bytes = line["index_size"], .hash = {}});
  return meta;
}

std::vector<std::string> Ids(const std::vector<MetaPointer>& blocks) {
  std::vector<std::string> ids;
  for (const MetaPointer& meta : blocks) ids.push_back(meta->ulid.ToString());
  return ids;
}

// A case of the vectors, planned as they were.
class Case {
 public:
  explicit Case(const json& line) : line_(line), ranges_(line["ranges_ms"]) {
    options_.ranges = ranges_;
    for (const json& meta : line["metas"]) metas_.push_back(ReadMeta(meta));
    for (const json& id : line["no_compact"])
      options_.no_compact.insert(*model::Ulid::Parse(id.get<std::string>()));
  }

  std::vector<MetaPointer> Plan() {
    const std::string planner = line_["planner"];
    if (planner == "default") return PlanCompaction(metas_, options_);
    for (;;) {
      std::vector<MetaPointer> plan = *PlanWithinIndexSize(
          metas_, line_["max_index_bytes"],
          [this](const block::Meta& meta) { return SizeOf(meta); }, options_, &too_large_);
      const bool downsampled = !plan.empty() && plan.front()->resolution_ms > 0;
      if (planner != "vertical-downsample" || !downsampled || !HaveOverlap(plan)) return plan;
      for (const MetaPointer& meta : plan) {
        options_.no_compact.insert(meta->ulid);
        vertical_.push_back(meta);
      }
    }
  }

  std::map<std::string, std::string> Marked() const {
    std::map<std::string, std::string> marked;
    for (const std::string& id : Ids(too_large_)) marked[id] = "index-size-exceeding";
    for (const std::string& id : Ids(vertical_)) marked[id] = "downsample-vertical-compaction";
    return marked;
  }

 private:
  StatusOr<std::int64_t> SizeOf(const block::Meta& meta) const {
    for (const block::BlockFile& file : meta.files) return file.size_bytes;
    return line_["bucket_index_sizes"].at(meta.ulid.ToString()).get<std::int64_t>();
  }

  const json& line_;
  const std::vector<TimestampMs> ranges_;
  std::vector<MetaPointer> metas_;
  PlanOptions options_;
  std::vector<MetaPointer> too_large_;
  std::vector<MetaPointer> vertical_;
};

TEST(PlannerTest, PlansAsThanosDoes) {
  const std::vector<json> lines = chunk::testing::ReadVectors("planning/plans.jsonl.gz");
  if (lines.empty()) GTEST_SKIP() << "the golden vectors are not here";
  for (const json& line : lines) {
    SCOPED_TRACE(line["id"].dump() + " " + line["kind"].get<std::string>());
    Case c(line);
    const std::vector<std::string> wanted = line["plan"].is_null()
                                                ? std::vector<std::string>()
                                                : line["plan"].get<std::vector<std::string>>();
    EXPECT_EQ(Ids(c.Plan()), wanted);
    std::map<std::string, std::string> marked;
    for (const json& mark : line["marked_no_compact"]) marked[mark["id"]] = mark["reason"];
    EXPECT_EQ(c.Marked(), marked);
  }
}

MetaPointer Block(int number, TimestampMs begin_hour, TimestampMs end_hour) {
  auto meta = std::make_shared<block::Meta>();
  meta->ulid = *model::Ulid::Parse("0000000000000000000000000" + std::to_string(number));
  meta->min_time = begin_hour * kHour;
  meta->max_time = end_hour * kHour;
  return meta;
}

std::vector<int> Numbers(const std::vector<MetaPointer>& blocks) {
  std::vector<int> numbers;
  for (const MetaPointer& meta : blocks) numbers.push_back(meta->ulid.ToString().back() - '0');
  return numbers;
}

TEST(PlannerTest, FillsARange) {
  const std::vector<MetaPointer> blocks = {Block(1, 0, 2), Block(2, 2, 4), Block(3, 4, 6),
                                           Block(4, 6, 8), Block(5, 8, 10)};
  EXPECT_THAT(Numbers(PlanCompaction(blocks, {})), ElementsAre(1, 2, 3, 4));
  // Without the block behind it the range is not known to be done.
  EXPECT_THAT(PlanCompaction(std::span(blocks).first(4), {}), IsEmpty());
}

TEST(PlannerTest, DoesNotJoinAcrossAMark) {
  const std::vector<MetaPointer> blocks = {Block(1, 0, 2), Block(2, 2, 4), Block(3, 4, 6),
                                           Block(4, 6, 8), Block(5, 8, 10)};
  PlanOptions options;
  options.no_compact.insert(blocks[2]->ulid);
  EXPECT_THAT(Numbers(PlanCompaction(blocks, options)), ElementsAre(1, 2));
  options.no_compact.insert(blocks[0]->ulid);
  EXPECT_THAT(PlanCompaction(blocks, options), IsEmpty());
}

TEST(PlannerTest, OverlapsComeFirst) {
  const std::vector<MetaPointer> blocks = {Block(1, 0, 2), Block(2, 2, 4), Block(3, 3, 5),
                                           Block(4, 4, 6), Block(5, 8, 10)};
  EXPECT_TRUE(HaveOverlap(blocks));
  EXPECT_THAT(Numbers(PlanCompaction(blocks, {})), ElementsAre(2, 3, 4));
}

TEST(PlannerTest, AbsurdTimesHarmNothing) {
  auto wide = std::make_shared<block::Meta>();
  wide->ulid = Block(1, 0, 0)->ulid;
  wide->min_time = INT64_MIN;
  wide->max_time = INT64_MAX;
  auto first = std::make_shared<block::Meta>(*wide);
  first->max_time = INT64_MIN;
  const std::vector<MetaPointer> blocks = {first, wide, Block(3, 0, 2), Block(4, 2, 4)};
  EXPECT_THAT(Numbers(PlanCompaction(blocks, {})), ElementsAre(1, 3, 4));
  EXPECT_THAT(PlanCompaction(std::span(blocks).first(2), {}), IsEmpty());
  EXPECT_THAT(PlanCompaction({}, {}), IsEmpty());
}

}  // namespace
}  // namespace aevum::compaction
