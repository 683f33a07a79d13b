// How the answers of several endpoints become one.
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "query/exemplars.h"
#include "query/metric_metadata.h"
#include "query/tsdb_status.h"

namespace aevum::query {
namespace {

using model::Labels;
using model::Matcher;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

using Metas = std::vector<wire::Metadata>;

TEST(MergeMetricMetadataTest, KeepsEachDifferentThingOnce) {
  const wire::Metadata counter{"counter", "Requests.", ""};
  const wire::Metadata gauge{"gauge", "Requests.", ""};
  wire::MetricMetadata all;
  MergeMetricMetadata({{"a", {counter}}}, -1, &all);
  MergeMetricMetadata({{"a", {counter, gauge}}, {"b", {gauge}}}, -1, &all);
  MergeMetricMetadata({{"a", {gauge}}}, -1, &all);
  EXPECT_THAT(all, ElementsAre(Pair("a", Metas{counter, gauge}), Pair("b", Metas{gauge})));
}

TEST(MergeMetricMetadataTest, TakesNoMoreMetricsThanTheLimit) {
  const wire::Metadata counter{"counter", "", ""};
  const wire::Metadata gauge{"gauge", "", ""};
  wire::MetricMetadata all;
  MergeMetricMetadata({{"b", {counter}}}, 2, &all);
  MergeMetricMetadata({{"a", {counter}}, {"b", {gauge}}, {"c", {counter}}}, 2, &all);
  EXPECT_THAT(all, ElementsAre(Pair("a", Metas{counter}), Pair("b", Metas{counter, gauge})));
  wire::MetricMetadata none;
  MergeMetricMetadata({{"a", {counter}}}, 0, &none);
  EXPECT_THAT(none, IsEmpty());
}

wire::Exemplar At(TimestampMs time, double value, const char* trace = "x") {
  return {.labels = Labels::Of({{"trace", trace}}), .value = value, .time = time};
}

std::vector<std::pair<TimestampMs, double>> Points(const wire::ExemplarSeries& series) {
  std::vector<std::pair<TimestampMs, double>> points;
  for (const wire::Exemplar& exemplar : series.exemplars)
    points.emplace_back(exemplar.time, exemplar.value);
  return points;
}

TEST(DeduplicateExemplarsTest, JoinsReplicasAndSorts) {
  const auto merged = DeduplicateExemplars(
      {{.labels = Labels::Of({{"job", "b"}, {"replica", "0"}}), .exemplars = {At(2, 1), At(1, 1)}},
       {.labels = Labels::Of({{"job", "a"}, {"replica", "0"}}), .exemplars = {At(5, 1)}},
       {.labels = Labels::Of({{"job", "b"}, {"replica", "1"}}),
        .exemplars = {At(2, 1), At(2, 0.5), At(2, 1, "a"), At(3, 1)}},
       {.labels = Labels::Of({{"job", "c"}}), .exemplars = {}}},
      {"replica"});
  ASSERT_THAT(merged, SizeIs(2));
  EXPECT_EQ(merged[0].labels, Labels::Of({{"job", "a"}}));
  EXPECT_EQ(merged[1].labels, Labels::Of({{"job", "b"}}));
  EXPECT_THAT(Points(merged[1]),
              ElementsAre(Pair(1, 1), Pair(2, 1), Pair(2, 0.5), Pair(2, 1), Pair(3, 1)));
  EXPECT_EQ(merged[1].exemplars[1].labels, Labels::Of({{"trace", "a"}}));
}

TEST(DeduplicateExemplarsTest, KeepsReplicasApartWithoutReplicaLabels) {
  const auto merged =
      DeduplicateExemplars({{.labels = Labels::Of({{"replica", "1"}}), .exemplars = {At(1, 1)}},
                            {.labels = Labels::Of({{"replica", "0"}}), .exemplars = {At(1, 1)}}},
                           {});
  ASSERT_THAT(merged, SizeIs(2));
  EXPECT_EQ(merged[0].labels, Labels::Of({{"replica", "0"}}));
}

TEST(DeduplicateExemplarsTest, NumbersThatAreNoneAreEqual) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto merged =
      DeduplicateExemplars({{.labels = {}, .exemplars = {At(1, nan), At(1, 2), At(1, nan)}}}, {});
  ASSERT_THAT(merged, SizeIs(1));
  ASSERT_THAT(merged[0].exemplars, SizeIs(2));
  EXPECT_EQ(merged[0].exemplars[0].value, 2);
  EXPECT_TRUE(std::isnan(merged[0].exemplars[1].value));
}

TEST(ExemplarsQueryForTest, AsksForWhatTheExternalLabelsAllow) {
  const std::vector<model::Matchers> selectors = {
      {Matcher::Equal("cluster", "eu"), Matcher::Equal("__name__", "up")},
      {Matcher::Equal("__name__", "down")},
      {Matcher::Equal("cluster", "us"), Matcher::Equal("__name__", "left")}};
  struct Case {
    std::string name;
    std::string component;
    std::vector<Labels> label_sets;
    std::optional<std::string> query;
  };
  const Case cases[] = {
      {"its own labels alone",
       "sidecar",
       {Labels::Of({{"cluster", "eu"}})},
       R"({__name__="up"}+{__name__="down"})"},
      {"another cluster", "sidecar", {Labels::Of({{"cluster", "ap"}})}, R"({__name__="down"})"},
      {"queriers choose themselves",
       "query",
       {Labels::Of({{"cluster", "eu"}}), Labels::Of({{"cluster", "ap"}})},
       R"({cluster="eu",__name__="up"}+{__name__="down"})"},
      {"no external labels",
       "sidecar",
       {},
       R"({cluster="eu",__name__="up"}+{__name__="down"}+{cluster="us",__name__="left"})"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    wire::InfoResponse info;
    info.component_type = c.component;
    info.label_sets = c.label_sets;
    EXPECT_EQ(ExemplarsQueryFor(selectors, info), c.query);
  }
  wire::InfoResponse eu;
  eu.component_type = "sidecar";
  eu.label_sets = {Labels::Of({{"cluster", "eu"}})};
  EXPECT_EQ(ExemplarsQueryFor({{Matcher::Equal("cluster", "us")}}, eu), std::nullopt);
  EXPECT_EQ(ExemplarsQueryFor({{Matcher::Equal("cluster", "eu")}}, eu), R"({__name__=~".+"})");
}

TEST(MergeTsdbStatisticsTest, SumsCountsAndKeepsTheLargerNumberOfValues) {
  wire::TsdbStatistics first;
  first.head = {.series = 10, .label_pairs = 5, .chunks = 20, .min_time = 100, .max_time = 200};
  first.series_by_metric = {{"up", 3}, {"down", 4}};
  first.values_by_label = {{"job", 2}, {"instance", 7}};
  first.memory_bytes_by_label = {{"job", 100}};
  first.series_by_label_pair = {{"job=a", 3}};
  wire::TsdbStatistics second = first;
  second.head.min_time = 50;
  second.head.max_time = 150;
  second.series_by_metric = {{"up", 3}, {"left", 4}};
  second.values_by_label = {{"job", 5}};

  wire::TsdbStatistics all;
  MergeTsdbStatistics(first, &all);
  MergeTsdbStatistics(second, &all);
  EXPECT_EQ(all.head,
            (wire::HeadStatistics{
                .series = 20, .label_pairs = 10, .chunks = 40, .min_time = 50, .max_time = 200}));
  using S = wire::Statistic;
  EXPECT_THAT(all.series_by_metric, ElementsAre(S{"up", 6}, S{"down", 4}, S{"left", 4}));
  EXPECT_THAT(all.values_by_label, ElementsAre(S{"instance", 7}, S{"job", 5}));
  EXPECT_THAT(all.memory_bytes_by_label, ElementsAre(S{"job", 200}));
  EXPECT_THAT(all.series_by_label_pair, ElementsAre(S{"job=a", 6}));
}

TEST(MergeTsdbStatisticsTest, SurvivesCountsOfAnySize) {
  wire::TsdbStatistics huge;
  huge.head = {.series = UINT64_MAX, .label_pairs = INT64_MAX, .chunks = INT64_MIN};
  huge.series_by_metric = {{"up", UINT64_MAX}, {"up", 3}};
  wire::TsdbStatistics all;
  MergeTsdbStatistics(huge, &all);
  MergeTsdbStatistics(huge, &all);
  EXPECT_EQ(all.head.chunks, 0);
  EXPECT_THAT(all.series_by_metric, SizeIs(1));
}

}  // namespace
}  // namespace aevum::query
