#include "query/json_histogram.h"

#include <gtest/gtest.h>

#include "promql/engine/engine.h"
#include "query/json_writer.h"

namespace aevum::query {
namespace {

model::FloatHistogram Example() {
  model::FloatHistogram histogram;
  histogram.schema = 0;
  histogram.count = 9;
  histogram.sum = 3.5;
  histogram.zero_threshold = 0.25;
  histogram.zero_count = 2;
  histogram.positive_spans = {{1, 3}};
  histogram.positive_buckets = {4, 0, 1};
  histogram.negative_spans = {{0, 1}};
  histogram.negative_buckets = {2};
  return histogram;
}

constexpr std::string_view kExample =
    R"({"count":"9","sum":"3.5","buckets":[[1,"-1","-0.5","2"],[3,"-0.25","0.25","2"],)"
    R"([0,"1","2","4"],[0,"4","8","1"]]})";

TEST(JsonHistogramTest, WritesBucketsThatHoldSomething) {
  std::string text;
  AppendJsonHistogram(text, Example());
  EXPECT_EQ(text, kExample);
}

TEST(JsonHistogramTest, CustomBucketsBeginAtMinusInfinity) {
  model::FloatHistogram histogram;
  histogram.schema = model::kCustomBucketsSchema;
  histogram.count = 3;
  histogram.custom_values = {5};
  histogram.positive_spans = {{0, 2}};
  histogram.positive_buckets = {1, 2};
  std::string text;
  AppendJsonHistogram(text, histogram);
  EXPECT_EQ(text, R"({"count":"3","sum":"0","buckets":[[3,"-Inf","5","1"],[0,"5","+Inf","2"]]})");
}

TEST(JsonHistogramTest, HasNoBucketsWithoutObservations) {
  std::string text;
  AppendJsonHistogram(text, {});
  EXPECT_EQ(text, R"({"count":"0","sum":"0"})");
}

std::string Data(const promql::QueryResult& result) {
  std::string text;
  JsonWriter writer([&](std::string_view piece) {
    text += piece;
    return true;
  });
  writer.QueryData(result, StatsDetail::kNone);
  EXPECT_TRUE(writer.Finish());
  return text;
}

// A series whose first step is a histogram and whose last step may be a number.
promql::QueryResult Result(promql::ValueType type, std::size_t steps) {
  promql::QueryResult result;
  result.type = type;
  result.start = 1'000;
  result.step = 500;
  result.rows.Reset(steps, nullptr);
  EXPECT_TRUE(result.rows.Add({}, "test").ok());
  const auto histogram = std::make_shared<const model::FloatHistogram>(Example());
  EXPECT_TRUE(result.rows.SetHistogram(0, 0, histogram, "test").ok());
  return result;
}

TEST(JsonHistogramTest, VectorsAndMatricesHaveHistogramsBesideValues) {
  const std::string histogram(kExample);
  promql::QueryResult vector = Result(promql::ValueType::kVector, 1);
  EXPECT_EQ(Data(vector), R"({"resultType":"vector","result":[{"metric":{},"histogram":[1,)" +
                              histogram + R"(]}],"analysis":{}})");
  promql::QueryResult matrix = Result(promql::ValueType::kMatrix, 2);
  EXPECT_EQ(Data(matrix), R"({"resultType":"matrix","result":[{"metric":{},"histograms":[[1,)" +
                              histogram + R"(]]}],"analysis":{}})");
  matrix.rows.present(0)[1] = 1;
  matrix.rows.values(0)[1] = 7;
  EXPECT_EQ(Data(matrix), R"({"resultType":"matrix","result":[{"metric":{},"values":[[1.500,"7"]],)"
                          R"("histograms":[[1,)" +
                              histogram + R"(]]}],"analysis":{}})");
}

}  // namespace
}  // namespace aevum::query
