#include "tools/inspect.h"

#include <memory>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/testing/blocks.h"

namespace aevum::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InspectTest : public ::testing::Test {
 protected:
  void Add(block::Meta meta) {
    const model::Ulid ulid = meta.ulid;
    metas_[ulid] = std::make_shared<const block::Meta>(std::move(meta));
  }
  // The first column of each row.
  std::vector<std::string> Ids(InspectOptions options) {
    options.form = InspectOptions::Form::kTsv;
    std::istringstream lines(*InspectBlocks(metas_, options));
    std::vector<std::string> ids;
    for (std::string line; std::getline(lines, line);)
      ids.push_back(line.substr(24, 2));  // of the ULID, where they differ
    ids.erase(ids.begin());
    return ids;
  }

  block::MetaMap metas_;
};

TEST_F(InspectTest, AlignsTheTable) {
  block::Meta meta = block::testing::MakeMeta(1);
  meta.stats = {.samples = 1'234'567, .series = 10, .chunks = 1000};
  meta.labels = {{"a", "1"}, {"z\xc3\xa9", "2"}};
  Add(meta);
  const std::string id = meta.ulid.ToString();
  EXPECT_EQ(*InspectBlocks(metas_, {}),
            "|            ULID            |         FROM         |        UNTIL         | RANGE  | "
            "UNTIL-DOWN | #SERIES | #SAMPLES  | #CHUNKS | COMP-LEVEL | COMP-FAILED |  LABELS  | "
            "RESOLUTION | SOURCE  |\n"
            "|----------------------------|----------------------|----------------------|--------|"
            "------------|---------|-----------|---------|------------|-------------|----------|"
            "------------|---------|\n"
            "| " +
                id +
                " | 1970-01-01T02:00:00Z | 1970-01-01T04:00:00Z | 2h0m0s | 38h0m0s    | 10      | "
                "1,234,567 | 1,000   | 1          | false       | a=1,z\xc3\xa9=2 | 0s         | "
                "sidecar |\n");
}

TEST_F(InspectTest, QuotesWhatSeparatesFields) {
  block::Meta meta = block::testing::MakeMeta(1);
  meta.labels = {{"a", "say \"x\""}, {"b", "\t"}};
  Add(meta);
  EXPECT_THAT(*InspectBlocks(metas_, {.form = InspectOptions::Form::kCsv}),
              HasSubstr(",\"a=say \"\"x\"\",b=\t\",0s,sidecar\n"));
  EXPECT_THAT(*InspectBlocks(metas_, {.form = InspectOptions::Form::kTsv}),
              HasSubstr("\t\"a=say \"\"x\"\",b=\t\"\t0s\tsidecar\n"));
}

TEST_F(InspectTest, SortsNumbersAndDurationsByTheirSize) {
  for (int i = 1; i <= 3; ++i) {
    block::Meta meta = block::testing::MakeMeta(i);
    meta.stats.samples = i == 1 ? 10'000 : i == 2 ? 999 : 2'000;
    meta.resolution_ms = i == 1 ? 3'600'000 : i == 2 ? 300'000 : 0;
    Add(meta);
  }
  EXPECT_THAT(Ids({.sort_by = {"#SAMPLES"}}), ElementsAre("02", "03", "01"));
  EXPECT_THAT(Ids({.sort_by = {"RESOLUTION"}}), ElementsAre("03", "02", "01"));
  EXPECT_THAT(Ids({.sort_by = {"SOURCE", "UNTIL"}}), ElementsAre("01", "02", "03"));
  // Of the coarsest resolution nothing is made, so it is shown first and as "-".
  EXPECT_THAT(Ids({.sort_by = {"UNTIL-DOWN"}}), ElementsAre("01", "03", "02"));
  EXPECT_THAT(std::string(InspectBlocks(metas_, {.sort_by = {"SIZE"}}).status().message()),
              HasSubstr("there is no column SIZE; there are ULID, FROM"));
}

TEST_F(InspectTest, KeepsBlocksWithAllLabelsOfTheSelector) {
  for (int i = 1; i <= 2; ++i) {
    block::Meta meta = block::testing::MakeMeta(i);
    meta.labels["replica"] = std::to_string(i);
    Add(meta);
  }
  EXPECT_THAT(Ids({.selector = {{"cluster", "eu"}}}), ElementsAre("01", "02"));
  EXPECT_THAT(Ids({.selector = {{"cluster", "eu"}, {"replica", "2"}}}), ElementsAre("02"));
  EXPECT_THAT(Ids({.selector = {{"zone", ""}}}), ElementsAre());
}

TEST_F(InspectTest, ShowsTimesThatCanNotBe) {
  block::Meta meta = block::testing::MakeMeta(1);
  meta.min_time = INT64_MIN;
  meta.max_time = INT64_MAX;
  Add(meta);
  EXPECT_TRUE(InspectBlocks(metas_, {}).ok());
}

}  // namespace
}  // namespace aevum::tools
