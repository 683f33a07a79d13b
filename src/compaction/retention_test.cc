#include "compaction/retention.h"

#include <filesystem>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "block/testing/blocks.h"
#include "chunk/testing/vectors.h"
#include "compaction/downsample.h"

namespace aevum::compaction {
namespace {

using block::testing::IdOf;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr TimestampMs kHour = 3'600'000;
constexpr TimestampMs kNow = 1'795'577'016'932;

// A block that ended so many hours ago.
void AddBlock(block::MetaMap* metas, int number, std::int64_t resolution_ms, int hours_ago,
              std::vector<int> sources, const std::string& cluster = "eu1") {
  block::Meta meta = block::testing::MakeMeta(number);
  meta.resolution_ms = resolution_ms;
  meta.max_time = kNow - hours_ago * kHour;
  meta.min_time = meta.max_time - 48 * kHour;
  meta.labels = {{"cluster", cluster}};
  meta.compaction.sources.clear();
  for (const int source : sources) meta.compaction.sources.push_back(IdOf(source));
  metas->emplace(meta.ulid, std::make_shared<const block::Meta>(meta));
}

// The blocks of the decisions: those that go, or those that wait.
std::set<model::Ulid> IdsOf(const std::vector<RetentionDecision>& decisions, bool waiting) {
  std::set<model::Ulid> ids;
  for (const RetentionDecision& decision : decisions)
    if (decision.waits == waiting) ids.insert(decision.meta->ulid);
  return ids;
}

TEST(RetentionTest, BlocksAreThoseOfTheReference) {
  const std::string path = AEVUM_SHARED_DIR "/golden/vectors/planning/retention.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::istringstream stream(chunk::testing::ReadGzip(path));
  int lines = 0;
  std::size_t expired = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    const auto vector = nlohmann::json::parse(line);
    SCOPED_TRACE(vector["id"].dump());
    block::MetaMap metas;
    for (const auto& entry : vector["metas"]) {
      block::Meta meta;
      meta.ulid = *model::Ulid::Parse(entry["ulid"].get<std::string>());
      meta.min_time = entry["minTime"];
      meta.max_time = entry["maxTime"];
      meta.resolution_ms = entry["resolution"];
      metas.emplace(meta.ulid, std::make_shared<const block::Meta>(meta));
    }
    const auto& keep = vector["retention"];
    RetentionPolicy policy;
    policy.keep = {seconds(keep["raw_s"].get<std::int64_t>()),
                   seconds(keep["5m_s"].get<std::int64_t>()),
                   seconds(keep["1h_s"].get<std::int64_t>())};
    std::set<model::Ulid> expected;
    for (const auto& id : vector["marked_for_deletion"])
      expected.insert(*model::Ulid::Parse(id.get<std::string>()));
    const auto decisions = BlocksBeyondRetention(metas, policy, vector["now_ms"]);
    EXPECT_EQ(IdsOf(decisions, false), expected);
    expired += expected.size();
  }
  EXPECT_GT(lines, 20);
  EXPECT_GT(expired, 20U);
}

TEST(RetentionTest, ABlockWaitsForACopyThatWouldBeKept) {
  struct Case {
    std::string name;
    RetentionTimes keep;
    std::vector<int> copied;  // sources of a block of 5 minutes
    bool downsampling = true;
    bool has_mark = false;
    bool waits = false;
  };
  const std::vector<Case> cases = {
      {"no copy", {hours(72), hours(0), hours(0)}, {}, true, false, true},
      {"half a copy", {hours(72), hours(0), hours(0)}, {1}, true, false, true},
      {"copy", {hours(72), hours(0), hours(0)}, {1, 2, 3}, true, false, false},
      {"copy would go at once", {hours(72), hours(80), hours(0)}, {}, true, false, false},
      {"copy would stay", {hours(72), hours(200), hours(0)}, {}, true, false, true},
      {"no downsampling", {hours(72), hours(0), hours(0)}, {}, false, false, false},
      {"has a mark", {hours(72), hours(0), hours(0)}, {}, true, true, false},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    block::MetaMap metas;
    AddBlock(&metas, 1, kResolutionRaw, 100, {1, 2});
    if (!test.copied.empty()) AddBlock(&metas, 9, kResolution5m, 1, test.copied);
    RetentionPolicy policy{
        .keep = test.keep, .rules = {}, .downsampling = test.downsampling, .no_downsample = {}};
    if (test.has_mark) policy.no_downsample.insert(IdOf(1));
    const auto decisions = BlocksBeyondRetention(metas, policy, kNow);
    EXPECT_EQ(IdsOf(decisions, test.waits), std::set<model::Ulid>{IdOf(1)});
    EXPECT_EQ(IdsOf(decisions, !test.waits), std::set<model::Ulid>{});
  }
}

TEST(RetentionTest, TheFirstRuleThatMatchesDecides) {
  block::MetaMap metas;
  AddBlock(&metas, 1, kResolution1h, 100, {1}, "eu1");
  AddBlock(&metas, 2, kResolution1h, 100, {2}, "us1");
  AddBlock(&metas, 3, kResolution1h, 100, {3}, "us2");
  AddBlock(&metas, 4, 7, 100, {4}, "us2");  // a resolution that nobody knows
  const auto rules = ParseRetentionRules(R"(
- matchers: '{cluster="eu1"}'
  1h: 0s
- matchers: '{cluster=~"us.*", cluster!="us2"}'
  1h: 2d
- matchers: '{cluster=~".+"}'
  raw: 1h
)");
  ASSERT_TRUE(rules.ok()) << rules.status();
  const RetentionPolicy policy{
      .keep = {hours(0), hours(0), hours(90)}, .rules = *rules, .no_downsample = {}};
  const auto decisions = BlocksBeyondRetention(metas, policy, kNow);
  ASSERT_EQ(decisions.size(), 2U);
  EXPECT_EQ(decisions[0].meta->ulid, IdOf(2));
  EXPECT_EQ(decisions[0].rule, 1U);
  EXPECT_EQ(decisions[0].retention, hours(48));
  // Its rule says nothing of 1 h.
  EXPECT_EQ(decisions[1].meta->ulid, IdOf(3));
  EXPECT_EQ(decisions[1].rule, std::nullopt);
  EXPECT_EQ(decisions[1].retention, hours(90));
}

TEST(RetentionTest, TimesAtTheirLimits) {
  block::MetaMap metas;
  block::Meta meta = block::testing::MakeMeta(1);
  meta.min_time = INT64_MIN;
  meta.max_time = INT64_MAX;
  metas.emplace(IdOf(1), std::make_shared<const block::Meta>(meta));
  meta.ulid = IdOf(2);
  meta.max_time = INT64_MIN;
  metas.emplace(IdOf(2), std::make_shared<const block::Meta>(meta));
  RetentionPolicy policy;
  policy.keep[0] = milliseconds(INT64_MAX);
  EXPECT_EQ(BlocksBeyondRetention(metas, policy, 0).size(), 1U);
  EXPECT_EQ(BlocksBeyondRetention(metas, policy, -1).size(), 0U);
  policy.keep[0] = milliseconds(1);
  EXPECT_EQ(BlocksBeyondRetention(metas, policy, INT64_MIN).size(), 0U);
  // The last millisecond is still within the retention.
  EXPECT_EQ(BlocksBeyondRetention(metas, policy, INT64_MIN + 1).size(), 0U);
  EXPECT_EQ(BlocksBeyondRetention(metas, policy, INT64_MIN + 2).size(), 1U);
}

TEST(RetentionRulesTest, WhatIsWrongIsNamed) {
  struct Case {
    std::string yaml;
    std::string error;  // empty: none
  };
  const std::vector<Case> cases = {
      {"", ""},
      {"[]", ""},
      {R"([{matchers: '{a="b"}', raw: 1d, 5m: 2d, 1h: 0s}])", ""},
      {"a: b", "not a list"},
      {"[1]", "retention rule 0: not a mapping"},
      {"[{raw: 1d}]", "no matchers"},
      {R"([{matchers: '{a="b"}'}, {matchers: '{a='}])", "retention rule 1: matchers:"},
      {R"([{matchers: '{a="b"}', raw: soon}])", "raw:"},
      {R"([{matchers: '{a="b"}', raw: -1d}])", "raw:"},
      {R"([{matchers: '{a="b"}', raw: [1d]}])", "raw: not a single value"},
      {R"([{matchers: '{a="b"}', 2h: 1d}])", "unknown field \"2h\""},
      {R"([{matchers: '{a="b"}', [raw]: 1d}])", "a field whose name is no text"},
      {"[{", "retention rules:"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.yaml);
    const Status status = ParseRetentionRules(test.yaml).status();
    if (test.error.empty()) {
      EXPECT_TRUE(status.ok()) << status;
    } else {
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
      EXPECT_THAT(status.ToString(), HasSubstr(test.error));
    }
  }
}

}  // namespace
}  // namespace aevum::compaction
