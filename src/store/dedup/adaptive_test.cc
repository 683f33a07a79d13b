#include "store/dedup/adaptive.h"

#include <algorithm>
#include <bit>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chunk/testing/vectors.h"

namespace aevum::store::dedup {
namespace {

using chunk::Columns;
using chunk::testing::ReadSamples;
using chunk::testing::ReadVectors;
using chunk::testing::ToText;
using nlohmann::json;

constexpr SeriesType kCounter = SeriesType::kCounter;
constexpr SeriesType kGauge = SeriesType::kGauge;
constexpr SeriesType kUnknown = SeriesType::kUnknown;

const double kStale = std::bit_cast<double>(chunk::kStaleNanBits);

Columns Merge(const std::vector<Columns>& replicas, SeriesType type,
              TimestampMs range_start = kMinTime) {
  std::vector<RowReader> rows;
  for (const Columns& replica : replicas) rows.emplace_back(replica);
  Columns out;
  const Status status = MergeAdaptive(rows, {.type = type, .range_start = range_start}, &out);
  EXPECT_TRUE(status.ok()) << status;
  return out;
}

// "0:100 15:115 30:S": seconds and values, S for a marker.
Columns Parse(const std::string& text) {
  Columns columns;
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    const std::size_t colon = word.find(':');
    columns.times.push_back(
        static_cast<TimestampMs>(std::stod(word.substr(0, colon)) * 1000 + 0.5));
    const std::string value = word.substr(colon + 1);
    columns.values.push_back(value == "S" ? kStale : std::stod(value));
  }
  return columns;
}

struct Case {
  std::string name;
  std::vector<std::string> rows;
  std::string output;
  SeriesType type = kCounter;
};

TEST(AdaptiveTest, DecidesAsTheTableSays) {
  const Case cases[] = {
      {"first leads",
       {"0:100 15:115 30:130 45:145 60:160", "6:106 21:121 36:136 51:151 66:166"},
       "0:100 15:115 30:130 45:145 60:160"},
      {"second leads",
       {"0:100 15:115 30:130 45:145 60:160", "9:109 24:124 39:139 54:154 69:169"},
       "9:109 24:124 39:139 54:154 69:169"},
      {"one missed scrape",
       {"0:100 15:115 30:130 60:160 75:175", "3:103 18:118 33:133 48:148 63:163 78:178"},
       "0:100 15:115 30:130 48:148 63:163 78:178"},
      {"the other lags",
       {"0:100 15:115 30:130 60:160 75:175", "3:101 18:116 33:118 48:128 63:150 78:165"},
       "0:100 15:115 30:130 60:160 75:175"},
      {"the other is ahead of our return",
       {"0:100 15:115 30:130 60:160", "3:141 18:156 33:171 48:186 63:201"},
       "0:100 15:115 30:130 60:160"},
      {"dies, the other lags",
       {"0:100 15:115 30:130", "3:91 18:106 33:116 48:126 63:141 78:156"},
       "0:100 15:115 30:130 63:141 78:156"},
      {"restart in the gap",
       {"0:1000 15:1010 30:1020", "3:1002 18:1012 33:1022 48:2 63:12"},
       "0:1000 15:1010 30:1020 48:2 63:12"},
      {"restart while both are away",
       {"0:1000 15:1010 30:1020", "3:1002 18:1012 33:1022 153:12 168:22 183:32"},
       "0:1000 15:1010 30:1020 153:12 168:22 183:32"},
      {"both away, lag",
       {"0:1000 15:1010 30:1020", "3:1002 18:1008 153:1019 168:1040 183:1050"},
       "0:1000 15:1010 30:1020 168:1040 183:1050"},
      {"reset not yet seen by the other",
       {"0:1000 15:1010 30:3 45:13", "3:980 18:990 33:1000 48:1005 63:1010 78:8 93:18"},
       "0:1000 15:1010 30:3 45:13 93:18"},
      {"the other has reset already",
       {"0:1000 15:1010 30:1020", "3:1004 18:1014 33:1 48:11 63:21"},
       "0:1000 15:1010 30:1020 48:11 63:21"},
      {"the other begins far behind, and we go on",
       {"5:749 13:S 20:2635 28:3571 35:4509", "15.6:366 22:1213 30:2237"},
       "5:749 20:2635 28:3571 35:4509"},
      {"the other steps back where its row changes replicas",
       {"0:1000 15:1010 30:1020 60:1040 75:1050", "7:1006 22:1016 31:1010 46:1019 61:1029 76:1039"},
       "0:1000 15:1010 30:1020 60:1040 75:1050"},
      {"steps back where the row itself changes replicas",
       {"0:1000 15:1010 30:1020 39:1016 54:1026 69:1036", "5:1003 20:1013 35:1023 50:1033 65:1043"},
       "0:1000 15:1010 30:1020 54:1026 69:1036"},
      {"a reset before the followed row began",
       {"0:5000 15:5100 30:10 45:20 75:30 90:37 105:45 120:54", "53:25 68:35 83:46 113:66 128:76"},
       "0:5000 15:5100 30:10 45:20 53:25 68:35 83:46 113:66 128:76"},
      {"scrape fails at one replica",
       {"0:100 15:115 30:130 45:S 60:160", "6:106 21:121 36:136 51:151 66:166"},
       "0:100 15:115 30:130 51:151 66:166"},
      {"target gone",
       {"0:100 15:115 30:130 45:S", "6:106 21:121 36:136 51:S"},
       "0:100 15:115 30:130 45:S"},
      {"copies with holes",
       {"0:0 15:15 45:45 60:60 90:90 105:105", "0:0 30:30 45:45 75:75 90:90 105:105",
        "15:15 30:30 60:60 75:75 105:105"},
       "0:0 15:15 30:30 45:45 60:60 75:75 90:90 105:105"},
      {"gauge falls at the switch",
       {"0:50 15:48 30:47", "6:44 21:45 36:46 51:46 66:46.5 81:47"},
       "0:50 15:48 30:47 51:46 66:46.5 81:47",
       kGauge},
      {"type unknown falls at the switch",
       {"0:50 15:48 30:47", "6:44 21:45 36:46 51:46 66:46.5 81:47"},
       "0:50 15:48 30:47 81:47",
       kUnknown},
      {"spike, type unknown",
       {"0:0 15:0 30:5", "6:0 21:0 36:0 51:0 66:0 81:0 96:0"},
       "0:0 15:0 30:5 81:0 96:0",
       kUnknown},
      {"newest sample only on the other",
       {"0:100 15:115 30:130", "6:106 21:121 36:136"},
       "0:100 15:115 30:130"},
      {"newest samples only on the other, certain",
       {"0:100 15:115 30:130", "6:106 21:121 36:136 51:151 66:166"},
       "0:100 15:115 30:130 51:151 66:166"},
      {"three of which two lie close",
       {"6.6:78988 26.6:78995 46.6:79001", "7.488:78988 27.488:78995", "7.413:78989 27.413:78996"},
       "6.6:78988 26.6:78995 46.6:79001"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::vector<Columns> replicas;
    for (const std::string& row : c.rows) replicas.push_back(Parse(row));
    EXPECT_EQ(ToText(Merge(replicas, c.type)), ToText(Parse(c.output)));
    std::reverse(replicas.begin(), replicas.end());
    EXPECT_EQ(ToText(Merge(replicas, c.type)), ToText(Parse(c.output)));
  }
}

// A restart long ago, which the other replica did not see: it is no excuse for being behind now.
TEST(AdaptiveTest, ResetDuringAnAbsenceIsAsOldAsTheAbsence) {
  Columns followed = Parse("0:1000 15:1010");
  Columns other = Parse("3:1002");
  for (int k = 0; k <= 30; ++k) {
    followed.times.push_back(30'000 + 15'000 * k);
    followed.values.push_back(10 * k);
  }
  for (int k = 28; k <= 34; ++k) {
    other.times.push_back(33'000 + 15'000 * k);
    other.values.push_back(10 * (k - 1));
  }
  const Columns out = Merge({followed, other}, kCounter);
  std::vector<TimestampMs> expected = followed.times;
  for (const TimestampMs time : {498'000, 513'000, 528'000, 543'000}) expected.push_back(time);
  EXPECT_EQ(out.times, expected);
  const std::vector<double> last(out.values.end() - 5, out.values.end());
  EXPECT_THAT(last, ::testing::ElementsAre(300, 300, 310, 320, 330));
}

SeriesType TypeOf(const json& one) {
  const std::string type = one.at("type").get<std::string>();
  return type == "counter" ? kCounter : type == "gauge" ? kGauge : kUnknown;
}

TEST(AdaptiveTest, AnswersAsTheCorpusSays) {
  const std::vector<json> cases = ReadVectors("../dedup-truth.jsonl.gz");
  if (cases.empty()) GTEST_SKIP() << "no corpus at " << AEVUM_SHARED_DIR;
  double adaptive = 0;
  double penalty = 0;
  for (const json& one : cases) {
    SCOPED_TRACE(one.at("id").dump() + " " + one.at("name").get<std::string>());
    std::vector<Columns> replicas;
    for (const json& samples : one.at("replicas")) replicas.push_back(ReadSamples(samples));
    const TimestampMs start =
        one.at("range_start").is_null() ? kMinTime : one.at("range_start").get<TimestampMs>();
    EXPECT_EQ(ToText(Merge(replicas, TypeOf(one), start)), ToText(ReadSamples(one.at("expected"))));
    for (const json& window : one.at("windows")) {
      const auto truth = window.at("true_count").get<double>();
      adaptive += std::abs(window.at("expected_count").get<double>() - truth);
      penalty += std::abs(window.at("penalty_count").get<double>() - truth);
    }
  }
  EXPECT_LT(adaptive, penalty);
}

// Any times and values: even and uneven steps, equal times, markers, NaN, falls, both kinds.
Columns RandomRow(std::mt19937& random, bool histograms) {
  const auto below = [&](unsigned n) { return static_cast<TimestampMs>(random() % n); };
  Columns row;
  const TimestampMs interval = 1 + below(30000);
  TimestampMs time = 7'000'000 + below(60000);
  double value = static_cast<double>(below(1000));
  for (TimestampMs i = below(60); i > 0; --i) {
    time += 1 + (below(4) == 0 ? below(unsigned(3 * interval)) : interval);
    value =
        below(20) == 0 ? static_cast<double>(below(100)) : value + static_cast<double>(below(20));
    const TimestampMs kind = below(20);
    const double sample = kind == 0 ? kStale : kind == 1 ? std::nan("") : value;
    if (histograms && below(8) != 0) {
      row.histogram_times.push_back(time);
      row.histograms.emplace_back();
      row.histograms.back().count = value;
      row.histograms.back().sum = sample;
    } else {
      row.times.push_back(time);
      row.values.push_back(sample);
    }
  }
  return row;
}

std::map<TimestampMs, std::vector<std::string>> ByTime(const std::vector<Columns>& rows) {
  std::map<TimestampMs, std::vector<std::string>> samples;
  for (const Columns& row : rows) {
    std::istringstream lines(ToText(row));
    for (std::string line; std::getline(lines, line);) samples[std::stoll(line)].push_back(line);
  }
  return samples;
}

std::vector<TimestampMs> TimesOf(const Columns& columns) {
  std::vector<TimestampMs> times = columns.times;
  times.insert(times.end(), columns.histogram_times.begin(), columns.histogram_times.end());
  std::sort(times.begin(), times.end());
  return times;
}

void CheckProperties(const std::vector<Columns>& rows, SeriesType type, std::mt19937& random) {
  const Columns out = Merge(rows, type);
  const std::string text = ToText(out);
  const auto in = ByTime(rows);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_THAT(in.at(std::stoll(line)), ::testing::Contains(line));
  }
  const std::vector<TimestampMs> times = TimesOf(out);
  EXPECT_TRUE(std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) ==
              times.end());
  EXPECT_EQ(times.empty(), in.empty());
  std::vector<Columns> other = rows;
  std::shuffle(other.begin(), other.end(), random);
  EXPECT_EQ(ToText(Merge(other, type)), text);
  other.push_back(rows[random() % rows.size()]);
  std::shuffle(other.begin(), other.end(), random);
  EXPECT_EQ(ToText(Merge(other, type)), text);
  EXPECT_EQ(ToText(Merge({out}, type)), text);
  EXPECT_EQ(ToText(Merge({out, out}, type)), text);
}

TEST(AdaptiveTest, KeepsItsPropertiesOnOddInput) {
  std::mt19937 random(20240607);
  for (int round = 0; round < 600 && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    std::vector<Columns> rows;
    for (unsigned r = 1 + random() % 4; r > 0; --r)
      rows.push_back(RandomRow(random, round % 3 == 0));
    for (const SeriesType type : {kCounter, kGauge, kUnknown}) CheckProperties(rows, type, random);
  }
}

TEST(AdaptiveTest, TakesTimesNearTheEndsOfTheRange) {
  Columns a = Parse("0:1 1:2 2:3");
  a.times = {kMinTime + 1, 0, kMaxTime};
  Columns b = a;
  b.times = {kMinTime, 5, kMaxTime - 1};
  EXPECT_FALSE(Merge({a, b}, kCounter).empty());
}

TEST(AdaptiveTest, HistogramsAreGuardedByTheirCount) {
  const auto row = [](std::vector<std::pair<TimestampMs, double>> samples) {
    Columns columns;
    for (const auto& [time, count] : samples) {
      columns.histogram_times.push_back(time * 1000);
      columns.histograms.emplace_back();
      columns.histograms.back().reset_hint = model::ResetHint::kNoReset;
      columns.histograms.back().count = count;
    }
    return columns;
  };
  std::vector<Columns> rows = {
      row({{0, 100}, {15, 115}, {30, 130}}),
      row({{3, 91}, {18, 106}, {33, 116}, {48, 126}, {63, 141}, {78, 156}})};
  const Columns out = Merge(rows, kUnknown);
  EXPECT_THAT(out.histogram_times, ::testing::ElementsAre(0, 15000, 30000, 63000, 78000));
  std::vector<model::ResetHint> hints;
  for (const model::FloatHistogram& h : out.histograms) hints.push_back(h.reset_hint);
  using model::ResetHint;
  EXPECT_THAT(hints,
              ::testing::ElementsAre(ResetHint::kUnknown, ResetHint::kNoReset, ResetHint::kNoReset,
                                     ResetHint::kUnknown, ResetHint::kNoReset));
  for (Columns& one : rows) {
    for (model::FloatHistogram& h : one.histograms) h.reset_hint = ResetHint::kGauge;
  }
  EXPECT_THAT(Merge(rows, kUnknown).histogram_times,
              ::testing::ElementsAre(0, 15000, 30000, 48000, 63000, 78000));
}

}  // namespace
}  // namespace aevum::store::dedup
