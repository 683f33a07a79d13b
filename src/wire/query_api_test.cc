#include "wire/query_api.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encoding/proto_wire.h"

namespace aevum::wire {
namespace {

using ::testing::ElementsAre;

QueryApiOptions Options() {
  QueryApiOptions options;
  options.query = "sum(up)";
  options.timeout_seconds = 30;
  options.max_resolution_seconds = 300;
  options.replica_labels = {"replica", "rule_replica"};
  options.store_matchers = {{model::Matcher::Equal("__address__", "a:1")},
                            {model::Matcher::Equal("__address__", "b:1")}};
  options.enable_dedup = true;
  options.enable_partial_response = true;
  options.skip_chunks = true;
  options.shard_info =
      ShardInfo{.shard_index = 1, .total_shards = 3, .by = true, .labels = {"pod"}};
  options.lookback_delta_seconds = 60;
  options.engine = QueryEngine::kThanos;
  options.response_batch_size = 64;
  return options;
}

void ExpectSame(const QueryApiOptions& a, const QueryApiOptions& b) {
  EXPECT_EQ(a.query, b.query);
  EXPECT_EQ(a.timeout_seconds, b.timeout_seconds);
  EXPECT_EQ(a.max_resolution_seconds, b.max_resolution_seconds);
  EXPECT_EQ(a.replica_labels, b.replica_labels);
  ASSERT_EQ(a.store_matchers.size(), b.store_matchers.size());
  for (std::size_t i = 0; i < a.store_matchers.size(); ++i)
    EXPECT_EQ(model::ToString(a.store_matchers[i]), model::ToString(b.store_matchers[i]));
  EXPECT_EQ(a.enable_dedup, b.enable_dedup);
  EXPECT_EQ(a.enable_partial_response, b.enable_partial_response);
  EXPECT_EQ(a.skip_chunks, b.skip_chunks);
  ASSERT_EQ(a.shard_info.has_value(), b.shard_info.has_value());
  EXPECT_EQ(a.shard_info->total_shards, b.shard_info->total_shards);
  EXPECT_EQ(a.shard_info->labels, b.shard_info->labels);
  EXPECT_EQ(a.lookback_delta_seconds, b.lookback_delta_seconds);
  EXPECT_EQ(a.engine, b.engine);
  EXPECT_EQ(a.response_batch_size, b.response_batch_size);
}

TEST(QueryApiTest, RequestsComeBack) {
  QueryRequest instant;
  static_cast<QueryApiOptions&>(instant) = Options();
  instant.time_seconds = 1'700'000'000;
  const auto instant_again = DecodeQueryRequest(Encode(instant));
  ASSERT_TRUE(instant_again.ok()) << instant_again.status();
  ExpectSame(*instant_again, instant);
  EXPECT_EQ(instant_again->time_seconds, instant.time_seconds);

  QueryRangeRequest range;
  static_cast<QueryApiOptions&>(range) = Options();
  range.start_seconds = -5;
  range.end_seconds = 60;
  range.interval_seconds = 15;
  const auto range_again = DecodeQueryRangeRequest(Encode(range));
  ASSERT_TRUE(range_again.ok()) << range_again.status();
  ExpectSame(*range_again, range);
  EXPECT_EQ(range_again->start_seconds, -5);
  EXPECT_EQ(range_again->end_seconds, 60);
  EXPECT_EQ(range_again->interval_seconds, 15);
}

TEST(QueryApiTest, RefusesRequestsThatAreNone) {
  EXPECT_EQ(DecodeQueryRequest("\x0a\x05"
                               "ab")
                .status()
                .code(),
            StatusCode::kInvalidArgument);
  std::string engine;
  encoding::PutVarintField(engine, 13, 3);
  const Status status = DecodeQueryRequest(engine).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "invalid engine parameter");
  std::string range_engine;
  encoding::PutVarintField(range_engine, 15, 9);
  EXPECT_EQ(DecodeQueryRangeRequest(range_engine).status().code(), StatusCode::kInvalidArgument);
}

model::FloatHistogram Histogram() {
  model::FloatHistogram histogram;
  histogram.reset_hint = model::ResetHint::kGauge;
  histogram.schema = -2;
  histogram.zero_threshold = 0.001;
  histogram.zero_count = 0.5;
  histogram.count = 6.25;
  histogram.sum = -0.0;
  histogram.positive_spans = {{-3, 1}, {0, 1}, {2, 1}};
  histogram.positive_buckets = {1, 0.75, 1.5};
  histogram.negative_spans = {{4, 2}};
  histogram.negative_buckets = {1, 1.5};
  return histogram;
}

TEST(QueryApiTest, SeriesComeBackBitByBit) {
  QuerySeries series;
  series.labels = model::Labels::Of({{"__name__", "up"}, {"job", "a"}});
  series.times = {-1000, 0, 1000, 2000};
  series.values = {-0.0, 0, std::numeric_limits<double>::quiet_NaN(), 1e300};
  model::FloatHistogram custom;
  custom.schema = model::kCustomBucketsSchema;
  custom.custom_values = {0.5, 1};
  custom.positive_spans = {{0, 2}};
  custom.positive_buckets = {1, 2};
  series.histogram_times = {3000, 4000};
  series.histograms = {Histogram(), custom};
  for (const bool as_batch : {false, true}) {
    SCOPED_TRACE(as_batch);
    const std::string bytes = EncodeQuerySeries({&series, 1}, as_batch);
    const auto response = DecodeQueryResponse(bytes);
    ASSERT_TRUE(response.ok()) << response.status();
    ASSERT_EQ(response->series.size(), 1u);
    const QuerySeries& again = response->series[0];
    EXPECT_EQ(again.labels, series.labels);
    EXPECT_EQ(again.times, series.times);
    EXPECT_TRUE(std::signbit(again.values[0]));
    EXPECT_FALSE(std::signbit(again.values[1]));
    EXPECT_TRUE(std::isnan(again.values[2]));
    EXPECT_EQ(again.values[3], 1e300);
    EXPECT_EQ(again.histogram_times, series.histogram_times);
    EXPECT_EQ(again.histograms[0].positive_spans, Histogram().positive_spans);
    EXPECT_EQ(again.histograms[0].negative_buckets, Histogram().negative_buckets);
    EXPECT_EQ(again.histograms[0].reset_hint, model::ResetHint::kGauge);
    EXPECT_TRUE(std::signbit(again.histograms[0].sum));
    EXPECT_EQ(again.histograms[1].custom_values, custom.custom_values);
    EXPECT_EQ(EncodeQuerySeries(response->series, as_batch), bytes);
  }
}

TEST(QueryApiTest, WarningsAndStatisticsComeBack) {
  const auto warning = DecodeQueryResponse(EncodeQueryWarning("a store is gone"));
  ASSERT_TRUE(warning.ok());
  EXPECT_EQ(warning->warnings, "a store is gone");
  const auto stats =
      DecodeQueryResponse(EncodeQueryStats({.samples_total = 12, .peak_samples = 3}));
  ASSERT_TRUE(stats.ok());
  ASSERT_TRUE(stats->stats.has_value());
  EXPECT_EQ(stats->stats->samples_total, 12);
  EXPECT_EQ(stats->stats->peak_samples, 3);
}

// A response with one series that has one histogram.
std::string WithHistogram(const std::string& histogram) {
  std::string series;
  encoding::PutBytesField(series, 4, histogram);
  std::string response;
  encoding::PutBytesField(response, 2, series);
  return response;
}

std::string SpanOf(std::uint64_t offset_zigzag, std::uint64_t length) {
  std::string span;
  encoding::PutVarintField(span, 1, offset_zigzag);
  encoding::PutVarintField(span, 2, length);
  return span;
}

TEST(QueryApiTest, ReadsHistogramsOfIntegers) {
  std::string histogram;
  encoding::PutVarintField(histogram, 1, 9);
  encoding::PutVarintField(histogram, 6, 2);
  encoding::PutBytesField(histogram, 11, SpanOf(2, 3));
  encoding::PutBytesField(histogram, 12, std::string("\x06\x02\x03", 3));  // 3, +1, -2
  const auto response = DecodeQueryResponse(WithHistogram(histogram));
  ASSERT_TRUE(response.ok()) << response.status();
  const model::FloatHistogram& read = response->series[0].histograms[0];
  EXPECT_EQ(read.count, 9);
  EXPECT_EQ(read.zero_count, 2);
  EXPECT_EQ(read.positive_spans[0].offset, 1);
  EXPECT_THAT(read.positive_buckets, ElementsAre(3, 4, 2));
}

TEST(QueryApiTest, RefusesDamagedHistograms) {
  struct Case {
    std::string name;
    std::string histogram;
  };
  std::vector<Case> cases;
  const auto add = [&](std::string name, auto fill) {
    std::string histogram;
    fill(histogram);
    cases.push_back({std::move(name), std::move(histogram)});
  };
  add("spans without buckets",
      [](std::string& h) { encoding::PutBytesField(h, 11, SpanOf(0, 4'000'000'000)); });
  add("span too long",
      [](std::string& h) { encoding::PutBytesField(h, 11, SpanOf(0, std::uint64_t{1} << 32)); });
  add("unknown schema", [](std::string& h) { encoding::PutVarintField(h, 4, 2 * 99); });
  add("unknown hint", [](std::string& h) { encoding::PutVarintField(h, 14, 4); });
  add("half a number", [](std::string& h) { encoding::PutBytesField(h, 13, "1234"); });
  add("spans that go back", [](std::string& h) {
    encoding::PutBytesField(h, 11, SpanOf(0, 0));
    encoding::PutBytesField(h, 11, SpanOf(1, 0));
  });
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(DecodeQueryResponse(WithHistogram(c.histogram)).status().code(),
              StatusCode::kDataLoss);
  }
}

}  // namespace
}  // namespace aevum::wire
