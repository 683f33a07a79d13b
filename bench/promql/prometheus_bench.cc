// The queries of Prometheus's promql/bench_test.go, under its names.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "histogram_data.h"
#include "prometheus_data.h"
#include "query_case.h"

namespace aevum::bench {
namespace {

struct RangeCase {
  std::string expr;
  int steps = 0;  // 0: once with 1 and once with 1,000
};

// X stands for "one" and then for "hundred".
const RangeCase kRangeCases[] = {
    {"a_X"},
    {"rate(a_X[1m])"},
    {"rate(a_X[1m])", 10'000},
    {"rate(sparse[1m])", 10'000},
    {"rate(a_X[1m] smoothed)"},
    {"rate(a_X[1m] smoothed)", 10'000},
    {"rate(sparse[1m] smoothed)", 10'000},
    {"double_exponential_smoothing(a_X[1d], 0.3, 0.3)"},
    {"changes(a_X[1d])"},
    {"rate(a_X[1d])"},
    {"absent_over_time(a_X[1d])"},
    {"-a_X"},
    {"a_X - b_X"},
    {"a_X - b_X", 10'000},
    {"a_X and b_X{l=~'.*[0-4]$'}"},
    {"a_X or b_X{l=~'.*[0-4]$'}"},
    {"a_X unless b_X{l=~'.*[0-4]$'}"},
    {"a_X and b_X{l='notfound'}"},
    {"abs(a_X)"},
    {"label_replace(a_X, 'l2', '$1', 'l', '(.*)')"},
    {"label_join(a_X, 'l2', '-', 'l', 'l')"},
    {"sum(a_X)"},
    {"avg(a_X)"},
    {"sum without (l)(h_X)"},
    {"sum without (le)(h_X)"},
    {"sum by (l)(h_X)"},
    {"sum by (le)(h_X)"},
    {"count_values('value', h_X)", 100},
    {"topk(1, a_X)"},
    {"topk(5, a_X)"},
    {"limitk(1, a_X)"},
    {"limitk(5, a_X)"},
    {"limit_ratio(0.1, a_X)"},
    {"limit_ratio(0.5, a_X)"},
    {"limit_ratio(-0.5, a_X)"},
    {"rate(a_X[1m]) + rate(b_X[1m])"},
    {"sum without (l)(rate(a_X[1m]))"},
    {"sum without (l)(rate(a_X[1m])) / sum without (l)(rate(b_X[1m]))"},
    {"histogram_quantile(0.9, rate(h_X[5m]))"},
    {"a_X + on(l) group_right a_one"},
    {"count({__name__!=\"\"})", 1},
    {"count({__name__!=\"\",l=\"\"})", 1},
    {"timestamp(a_X)"},
};

std::string Replaced(std::string_view text, std::string_view x) {
  std::string out;
  for (const char c : text) out += c == 'X' ? std::string(x) : std::string(1, c);
  return out;
}

// A query over the last `steps` intervals of the samples.
QueryCase OverLast(std::string name, std::string query, int steps, int samples) {
  return {.name = std::move(name),
          .query = std::move(query),
          .start_ms = (samples - steps) * kPrometheusIntervalMs,
          .end_ms = samples * kPrometheusIntervalMs,
          .step_ms = kPrometheusIntervalMs};
}

void RegisterRangeQueries() {
  for (const RangeCase& range : kRangeCases) {
    std::vector<std::string> queries = {range.expr};
    if (range.expr.find('X') != std::string::npos)
      queries = {Replaced(range.expr, "one"), Replaced(range.expr, "hundred")};
    const std::vector<int> steps =
        range.steps == 0 ? std::vector<int>{1, 1000} : std::vector<int>{range.steps};
    for (const std::string& query : queries) {
      for (const int count : steps) {
        RegisterQuery(OverLast(fmt::format("Prometheus/RangeQuery/expr={},steps={}", query, count),
                               query, count, kRangeSamples),
                      &RangeQueryData);
      }
    }
  }
}

void RegisterJoinQueries() {
  for (const char* query : {
           "rpc_request_success_total + rpc_request_error_total",
           "rpc_request_success_total + ON (job, instance) GROUP_LEFT rpc_request_error_total",
           "rpc_request_success_total AND rpc_request_error_total{instance=~\"0.*\"}",
           "rpc_request_success_total OR rpc_request_error_total{instance=~\"0.*\"}",
           "rpc_request_success_total UNLESS rpc_request_error_total{instance=~\"0.*\"}",
       }) {
    RegisterQuery(OverLast(fmt::format("Prometheus/JoinQuery/expr={}/steps={}", query, kJoinSteps),
                           query, kJoinSteps, kJoinSamples),
                  &JoinQueryData);
  }
}

// Two hours from time 0 at 30 s.
QueryCase TwoHours(std::string name, std::string query) {
  return {.name = std::move(name),
          .query = std::move(query),
          .start_ms = 0,
          .end_ms = 7'200'000,
          .step_ms = 30'000};
}

std::string Named(std::string query, std::string_view metric) {
  for (std::size_t at; (at = query.find('$')) != std::string::npos;) query.replace(at, 1, metric);
  return query;
}

void RegisterHistograms() {
  struct Case {
    std::string name;
    std::string query;  // $ stands for the metric
    bool custom_buckets_too = true;
  };
  const Case cases[] = {
      {"sum", "sum($)"},
      {"sum rate with short rate interval", "sum(rate($[2m]))"},
      {"sum rate with long rate interval", "sum(rate($[20m]))"},
      {"histogram_count with short rate interval", "histogram_count(sum(rate($[2m])))"},
      {"histogram_count with long rate interval", "histogram_count(sum(rate($[20m])))"},
      {"two-legged histogram_count/sum with short rate interval",
       "histogram_count(sum(rate($[2m]))) + histogram_sum(sum(rate($[2m])))", false},
      {"two-legged histogram_count/sum with long rate interval",
       "histogram_count(sum(rate($[20m]))) + histogram_sum(sum(rate($[20m])))", false},
  };
  for (const Case& c : cases) {
    RegisterQuery(TwoHours("Prometheus/NativeHistograms/" + c.name,
                           Named(c.query, "native_histogram_series")),
                  &ExponentialHistograms);
  }
  for (const Case& c : cases) {
    if (!c.custom_buckets_too) continue;
    RegisterQuery(TwoHours("Prometheus/NativeHistogramsCustomBuckets/" + c.name,
                           Named(c.query, "native_histogram_custom_bucket_series")),
                  &CustomBucketHistograms);
  }
}

void RegisterInfoFunction() {
  const std::string rate = "rate(http_server_request_duration_seconds_count[2m])";
  const std::string joined =
      rate + " * on (job, instance) group_left (k8s_cluster_name) target_info";
  const std::string by = "sum by (k8s_cluster_name, http_status_code) (";
  const std::pair<std::string, std::string> cases[] = {
      {"group_left example 1", joined + "{k8s_cluster_name=\"us-east\"}"},
      {"info() example 1", "info(" + rate + ", {k8s_cluster_name=\"us-east\"})"},
      {"group_left example 2", by + joined + ")"},
      {"info() example 2", by + "info(" + rate + ", {k8s_cluster_name=~\".+\"}))"},
  };
  for (const auto& [name, query] : cases) {
    RegisterQuery(
        TwoHours("Prometheus/InfoFunction/Joining info metrics with other metrics with " + name,
                 query),
        &InfoData);
  }
}

[[maybe_unused]] const bool kRegistered = [] {
  RegisterRangeQueries();
  RegisterJoinQueries();
  RegisterHistograms();
  RegisterInfoFunction();
  return true;
}();

}  // namespace
}  // namespace aevum::bench
