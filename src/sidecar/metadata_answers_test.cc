#include "sidecar/metadata_answers.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::sidecar {
namespace {

using model::Labels;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

std::string Success(std::string_view data) {
  return fmt::format(R"({{"status":"success","data":{}}})", data);
}

TEST(MetadataAnswersTest, ReadsMetadata) {
  const auto answer = ParseMetadataAnswer(
      R"({"status":"success","data":{"up":[{"type":"gauge","help":"H","unit":"s"},{"type":"x"}],)"
      R"("none":[]},"warnings":["w"]})");
  ASSERT_TRUE(answer.ok()) << answer.status();
  const std::vector<wire::Metadata> up = {{"gauge", "H", "s"}, {"x", "", ""}};
  EXPECT_THAT(answer->metadata,
              ElementsAre(Pair("none", std::vector<wire::Metadata>()), Pair("up", up)));
  EXPECT_THAT(answer->warnings, ElementsAre("w"));
  EXPECT_THAT(ParseMetadataAnswer(Success("null"))->metadata, IsEmpty());
}

TEST(MetadataAnswersTest, ReadsExemplars) {
  const auto answer = ParseExemplarsAnswer(Success(
      R"([{"seriesLabels":{"__name__":"up","job":"x"},"exemplars":[)"
      R"({"labels":{"trace_id":"1"},"value":"6","timestamp":1600096945.479},)"
      R"({"labels":{},"value":"+Inf","timestamp":-0.001},)"
      R"({"labels":null,"value":"NaN","timestamp":1600096955}]},{"seriesLabels":{},"exemplars":null}])"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_THAT(answer->series, SizeIs(2));
  EXPECT_EQ(answer->series[0].labels, Labels::Of({{"__name__", "up"}, {"job", "x"}}));
  const std::vector<wire::Exemplar>& exemplars = answer->series[0].exemplars;
  ASSERT_THAT(exemplars, SizeIs(3));
  EXPECT_EQ(exemplars[0].labels, Labels::Of({{"trace_id", "1"}}));
  EXPECT_EQ(exemplars[0].value, 6);
  EXPECT_EQ(exemplars[0].time, 1'600'096'945'479);
  EXPECT_EQ(exemplars[1].value, INFINITY);
  EXPECT_EQ(exemplars[1].time, -1);
  EXPECT_TRUE(std::isnan(exemplars[2].value));
  EXPECT_EQ(exemplars[2].time, 1'600'096'955'000);
  EXPECT_THAT(answer->series[1].exemplars, IsEmpty());
}

TEST(MetadataAnswersTest, ReadsStatistics) {
  // As Prometheus 2.42 says it; a head without samples has the least and largest of times.
  const auto statistics = ParseTsdbStatusAnswer(
      Success(R"({"headStats":{"numSeries":508,"numLabelPairs":221,"chunkCount":937,)"
              R"("minTime":9223372036854775807,"maxTime":-9223372036854775808},)"
              R"("seriesCountByMetricName":[{"name":"net","value":3},{"name":"up","value":1}],)"
              R"("labelValueCountByLabelName":[{"name":"__name__","value":211}],)"
              R"("memoryInBytesByLabelName":[{"name":"__name__","value":8266}],)"
              R"("seriesCountByLabelValuePair":[{"name":"job=x","value":18446744073709551615}]})"));
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->head, (wire::HeadStatistics{.series = 508,
                                                    .label_pairs = 221,
                                                    .chunks = 937,
                                                    .min_time = INT64_MAX,
                                                    .max_time = INT64_MIN}));
  using S = wire::Statistic;
  EXPECT_THAT(statistics->series_by_metric, ElementsAre(S{"net", 3}, S{"up", 1}));
  EXPECT_THAT(statistics->values_by_label, ElementsAre(S{"__name__", 211}));
  EXPECT_THAT(statistics->memory_bytes_by_label, ElementsAre(S{"__name__", 8266}));
  EXPECT_THAT(statistics->series_by_label_pair, ElementsAre(S{"job=x", UINT64_MAX}));
  EXPECT_TRUE(ParseTsdbStatusAnswer(Success("{}")).ok());
}

TEST(MetadataAnswersTest, NamesTheFieldOfABrokenAnswer) {
  const auto message = [](const Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    return std::string(status.message());
  };
  struct Case {
    std::string data;
    std::string message;
  };
  for (const Case& c : {
           Case{"[]", "field data must be an object, not an array"},
           Case{R"({"up":1})", "field data.* must be an array, not a number"},
           Case{R"({"up":["x"]})", "field data.*[] must be an object, not a string"},
           Case{R"({"up":[{"help":1}]})", "field data.*[].help must be a string, not a number"},
       }) {
    SCOPED_TRACE(c.data);
    EXPECT_THAT(message(ParseMetadataAnswer(Success(c.data)).status()), HasSubstr(c.message));
  }
  const auto with = [](std::string_view exemplar) {
    return Success(fmt::format(R"([{{"exemplars":[{}]}}])", exemplar));
  };
  for (const Case& c : {
           Case{Success("{}"), "field data must be an array, not an object"},
           Case{Success("[1]"), "field data[] must be an object, not a number"},
           Case{Success(R"([{"seriesLabels":[]}])"), "data[].seriesLabels must be an object"},
           Case{with("1"), "field data[].exemplars[] must be an object, not a number"},
           Case{with("{}"), "no field data[].exemplars[].value"},
           Case{with(R"({"value":1})"), "data[].exemplars[].value must be a string, not a number"},
           Case{with(R"({"value":"1x"})"), "value must be a number in a string, not 1x"},
           Case{with(R"({"value":"+-1"})"), "value must be a number in a string, not +-1"},
           Case{with(R"({"value":"1","timestamp":1e300})"), "timestamp is no time"},
       }) {
    SCOPED_TRACE(c.data);
    EXPECT_THAT(message(ParseExemplarsAnswer(c.data).status()), HasSubstr(c.message));
  }
  for (const Case& c : {
           Case{"[]", "field data must be an object, not an array"},
           Case{R"({"headStats":{"numSeries":-1}})", "data.headStats.numSeries must be a whole"},
           Case{R"({"headStats":{"minTime":1.5}})", "data.headStats.minTime must be a whole"},
           Case{R"({"seriesCountByMetricName":[{"value":"1"}]})",
                "data.seriesCountByMetricName[].value must be a whole number, not a string"},
       }) {
    SCOPED_TRACE(c.data);
    EXPECT_THAT(message(ParseTsdbStatusAnswer(Success(c.data)).status()), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace aevum::sidecar
