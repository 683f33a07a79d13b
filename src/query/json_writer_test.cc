#include "query/json_writer.h"

#include <limits>

#include <gtest/gtest.h>

namespace aevum::query {
namespace {

using promql::QueryResult;
using promql::ValueType;

std::string Data(const QueryResult& result, StatsDetail stats = StatsDetail::kNone) {
  std::string text;
  JsonWriter writer([&](std::string_view piece) {
    text += piece;
    return true;
  });
  writer.QueryData(result, stats);
  EXPECT_TRUE(writer.Finish());
  return text;
}

// Two series over three steps; the second has a value at the last one only.
QueryResult TwoSeries(ValueType type, std::size_t steps) {
  QueryResult result;
  result.type = type;
  result.start = 1'000;
  result.step = 500;
  result.rows.Reset(steps, nullptr);
  EXPECT_TRUE(
      result.rows.Add(model::Labels::Of({{"__name__", "up"}, {"job", "<j>"}}), "test").ok());
  EXPECT_TRUE(result.rows.Add({}, "test").ok());
  for (std::size_t k = 0; k < steps; ++k) {
    result.rows.values(0)[k] = 1.5 * static_cast<double>(k);
    result.rows.present(0)[k] = 1;
  }
  result.rows.values(1)[steps - 1] = std::numeric_limits<double>::infinity();
  result.rows.present(1)[steps - 1] = 1;
  return result;
}

TEST(JsonWriterTest, WritesAMatrix) {
  EXPECT_EQ(
      Data(TwoSeries(ValueType::kMatrix, 3)),
      R"({"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"\u003cj\u003e"},)"
      R"("values":[[1,"0"],[1.500,"1.5"],[2,"3"]]},{"metric":{},"values":[[2,"+Inf"]]}],"analysis":{}})");
}

TEST(JsonWriterTest, WritesAVector) {
  EXPECT_EQ(
      Data(TwoSeries(ValueType::kVector, 1)),
      R"({"resultType":"vector","result":[{"metric":{"__name__":"up","job":"\u003cj\u003e"},"value":[1,"0"]},)"
      R"({"metric":{},"value":[1,"+Inf"]}],"analysis":{}})");
}

TEST(JsonWriterTest, WritesScalarsStringsAndRanges) {
  QueryResult scalar;
  scalar.type = ValueType::kScalar;
  scalar.start = 1'700'000'000'123;
  scalar.scalar = -0.0;
  EXPECT_EQ(Data(scalar),
            R"({"resultType":"scalar","result":[1700000000.123,"-0"],"analysis":{}})");
  QueryResult text;
  text.type = ValueType::kString;
  text.text = "a\"b";
  EXPECT_EQ(Data(text), R"({"resultType":"string","result":[0,"a\"b"],"analysis":{}})");
  QueryResult range;
  range.type = ValueType::kMatrix;
  range.ranges.push_back(
      {.labels = model::Labels::Of({{"a", "b"}}), .times = {1, 2'000}, .values = {1, 1e21}});
  EXPECT_EQ(
      Data(range),
      R"({"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[0.001,"1"],[2,"1e+21"]]}],"analysis":{}})");
  QueryResult nothing;
  nothing.type = ValueType::kVector;
  EXPECT_EQ(Data(nothing), R"({"resultType":"vector","result":[],"analysis":{}})");
}

TEST(JsonWriterTest, SendsPiecesAndStopsWhenNobodyReads) {
  QueryResult result;
  result.type = ValueType::kMatrix;
  result.step = 1;
  result.rows.Reset(10'000, nullptr);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(result.rows.Add({}, "test").ok());
    std::fill_n(result.rows.present(static_cast<std::size_t>(i)), 10'000, std::uint8_t{1});
  }
  std::size_t largest = 0;
  int pieces = 0;
  JsonWriter writer([&](std::string_view piece) {
    largest = std::max(largest, piece.size());
    return ++pieces < 3;
  });
  writer.QueryData(result, StatsDetail::kNone);
  EXPECT_FALSE(writer.Finish());
  EXPECT_EQ(pieces, 3);
  EXPECT_LE(largest, std::size_t{64} << 10);
}

}  // namespace
}  // namespace aevum::query
