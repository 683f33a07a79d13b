// The queries of the engine/bench_test.go of Thanos's promql-engine, under its names.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "histogram_data.h"
#include "query_case.h"

namespace aevum::bench {
namespace {

using model::Labels;

constexpr std::int64_t kIntervalMs = 30'000;
constexpr int kPods = 1000;

// Six hours at 30 s, from time 0: a counter http_requests_total{pod, container} with 3 containers a
// pod, a constant http_responses_total{pod}, and http_response_seconds_bucket{pod, le} with 11
// buckets a pod. Series start at the number of their pod and grow by that of container or bucket.
std::vector<ChunkStorage::Series> MakeData() {
  constexpr int kSamples = 721;
  std::vector<TimestampMs> times;
  for (int i = 0; i < kSamples; ++i) times.push_back(i * kIntervalMs);
  std::vector<ChunkStorage::Series> series;
  const auto add = [&](const Labels& labels, int first, int step) {
    std::vector<double> values;
    for (int i = 0; i < kSamples; ++i) values.push_back(first + step * i);
    series.push_back({.labels = labels, .samples = EncodeFloats(times, values)});
  };
  for (int i = 0; i < kPods; ++i) {
    const std::string pod = fmt::format("p{}", i);
    const auto bucket = [&](std::string_view le) {
      return Labels::Of(
          {{model::kMetricName, "http_response_seconds_bucket"}, {"le", le}, {"pod", pod}});
    };
    for (int j = 0; j < 3; ++j) {
      const std::string container = fmt::format("c{}", j);
      add(Labels::Of({{model::kMetricName, "http_requests_total"},
                      {"container", container},
                      {"pod", pod}}),
          i, j);
    }
    add(Labels::Of({{model::kMetricName, "http_responses_total"}, {"pod", pod}}), i, 0);
    for (int j = 0; j < 10; ++j) add(bucket(fmt::format("{}", j)), i, j);
    add(bucket("+Inf"), i, i);
  }
  return series;
}

ChunkStorage& Requests() {
  static ChunkStorage storage(MakeData());
  return storage;
}

struct Case {
  std::string name;
  std::string query;  // $ stands for http_requests_total
  std::int64_t step_ms = 30'000;
};

const Case kRangeCases[] = {
    {"vector selector", "$"},
    {"sum", "sum($)"},
    {"sum by pod", "sum by (pod) ($)"},
    {"topk", "topk(2, $)"},
    {"bottomk", "bottomk(2, $)"},
    {"limitk", "limitk(2, $)"},
    {"limit_ratio", "limit_ratio(0.2, $)"},
    {"rate", "rate($[1m])"},
    {"rate with longer window", "rate($[10m])", 300'000},
    {"subquery", "sum_over_time(rate($[1m])[10m:1m])"},
    {"sum rate", "sum(rate($[1m]))"},
    {"sum by rate", "sum by (pod) (rate($[1m]))"},
    {"quantile with variable parameter", "quantile by (pod) (scalar(min($)), $)"},
    {"binary operation with one to one",
     "${container=\"c1\"} / ignoring (container) http_responses_total"},
    {"binary operation with many to one", "$ / on (pod) group_left () http_responses_total"},
    {"binary operation with vector and scalar", "$ * 10"},
    {"unary negation", "-$"},
    {"vector and scalar comparison", "$ > 10"},
    {"positive offset vector", "$ offset 5m"},
    {"at modifier ", "$ @ 600.000"},
    {"at modifier with positive offset vector", "$ @ 600.000 offset 5m"},
    {"clamp", "clamp($, 5, 10)"},
    {"clamp_min", "clamp_min($, 10)"},
    {"complex func query", "clamp(1 - $, 10 - 5, 10)"},
    {"func within func query", "clamp(irate($[30s]), 10 - 5, 10)"},
    {"aggr within func query", "clamp(rate($[30s]), 10 - 5, 10)"},
    {"histogram_quantile", "histogram_quantile(0.9, http_response_seconds_bucket)"},
    {"sort", "sort($)"},
    {"sort_desc", "sort_desc($)"},
    {"absent and exists", "absent($)"},
    {"absent and doesnt exist", "absent(nonexistent)"},
    {"double exponential smoothing", "double_exponential_smoothing($[1m], 0.1, 0.1)"},
    {"stdvar_over_time", "stdvar_over_time($[5m])"},
    {"last_over_time", "last_over_time($[5m])"},
    {"present_over_time", "present_over_time($[5m])"},
};

const char* const kOverTime[] = {"count", "sum", "avg", "min", "max", "stddev"};

const Case kHistogramCases[] = {
    {"selector", "$"},
    {"sum", "sum($)"},
    {"rate", "rate($[1m])"},
    {"rate with longer window", "rate($[10m])", 300'000},
    {"sum rate", "sum(rate($[1m]))"},
    {"histogram_sum", "histogram_sum($)"},
    {"histogram_count with rate", "histogram_count(rate($[1m]))"},
    {"histogram_count", "histogram_count($)"},
    {"histogram_count with sum and rate", "histogram_count(sum(rate($[1m])))"},
    {"histogram_avg", "histogram_avg($)"},
    {"histogram_avg with sum and rate", "histogram_avg(sum(rate($[1m])))"},
    {"histogram_quantile", "histogram_quantile(0.9, sum($))"},
    {"histogram scalar binop", "sum($ * 60)"},
    {"histogram_stdvar", "histogram_stdvar($)"},
    {"histogram_stddev", "histogram_stddev($)"},
};

// At 50 s.
const Case kInstantCases[] = {
    {"vector selector", "$"},
    {"count", "count($)"},
    {"count_values", "count_values(\"val\", $)"},
    {"round", "round($)"},
    {"round with argument", "round($, 0.5)"},
    {"avg", "avg($)"},
    {"sum", "sum($)"},
    {"sum by pod", "sum by (pod) ($)"},
    {"rate", "rate($[1m])"},
    {"rate with long window", "rate($[1h])"},
    {"sum rate", "sum(rate($[1m]))"},
    {"sum by rate", "sum by (pod) (rate($[1m]))"},
    {"binary operation with many to one", "$ / on (pod) group_left () http_responses_total"},
    {"unary negation", "-$"},
    {"vector and scalar comparison", "$ > 10"},
    {"sort", "sort($)"},
    {"sort_desc", "sort_desc($)"},
    {"subquery sum_over_time", "sum_over_time(count($)[1h:10s])"},
    {"double exponential smoothing", "double_exponential_smoothing($[1m], 0.1, 0.1)"},
};

// At the end of the data.
const char* const kInstantOverTime[] = {"count",  "sum",    "avg",     "min", "max",
                                        "stddev", "stdvar", "present", "last"};

QueryCase Of(std::string_view table, const Case& c, std::string_view metric) {
  std::string query = c.query;
  for (std::size_t at; (at = query.find('$')) != std::string::npos;) query.replace(at, 1, metric);
  return {.name = fmt::format("Thanos/{}/{}", table, c.name),
          .query = std::move(query),
          .start_ms = 0,
          .end_ms = 7'200'000,
          .step_ms = c.step_ms};
}

void RegisterInstant(const Case& c, TimestampMs at) {
  QueryCase query = Of("InstantQuery", c, "http_requests_total");
  query.start_ms = query.end_ms = at;
  query.step_ms = 0;
  RegisterQuery(std::move(query), &Requests);
}

[[maybe_unused]] const bool kRegistered = [] {
  const auto range = [](const Case& c) {
    RegisterQuery(Of("RangeQuery", c, "http_requests_total"), &Requests);
  };
  for (const Case& c : kRangeCases) range(c);
  for (const char* function : kOverTime) {
    for (const char* window : {"5m", "1h", "6h"})
      range({fmt::format("{}_over_time_{}", function, window),
             fmt::format("{}_over_time($[{}])", function, window)});
  }
  for (const Case& c : kHistogramCases)
    RegisterQuery(Of("NativeHistograms", c, "native_histogram_series"), &ExponentialHistograms);
  for (const Case& c : kInstantCases) RegisterInstant(c, 50'000);
  for (const char* function : kInstantOverTime) {
    RegisterInstant(
        {fmt::format("{}_over_time 6h", function), fmt::format("{}_over_time($[6h])", function)},
        6 * 3'600'000);
  }
  return true;
}();

}  // namespace
}  // namespace aevum::bench
