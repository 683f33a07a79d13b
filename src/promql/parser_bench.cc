// How fast expressions are parsed, checked and printed.
#include <string>

#include <benchmark/benchmark.h>

#include "promql/parser.h"
#include "promql/pretty_printer.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

const std::string& Expression(std::int64_t index) {
  static const std::string kExpressions[] = {
      "a",
      "metric",
      "1",
      "1 + 2 * 3 ^ 4 - -5 / 6",
      "sum by (job, instance) (rate(http_requests_total{job=\"api\", code=~\"5..\"}[5m]))",
      "histogram_quantile(0.99, sum by (le) (rate(request_seconds_bucket[5m] offset 1h))) > 0.5",
      "max_over_time((sum(rate(a[1m])) / on (x) group_left (y) sum(rate(b[1m])))[1h:30s] @ end())",
      // The largest query that a server takes: a long set of alternatives.
      "up{instance=~\"" + std::string(1 << 20, 'x') + "\"}",
  };
  return kExpressions[index];
}

void BM_Parse(benchmark::State& state) {
  const std::string& text = Expression(state.range(0));
  for (auto _ : state) {
    auto expr = Parse(text);
    benchmark::DoNotOptimize(expr);
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(BM_Parse)->DenseRange(0, 7);

// Chains and nests of many terms: linear in their number.
void BM_ParseTerms(benchmark::State& state) {
  std::string text = "a";
  for (std::int64_t i = 1; i < state.range(0); ++i) text += " + a";
  for (auto _ : state) {
    auto expr = Parse(text);
    benchmark::DoNotOptimize(expr);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_ParseTerms)->Range(8, 4096);

void BM_Print(benchmark::State& state) {
  const auto expr = Parse(Expression(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(ToString(**expr));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Print)->DenseRange(3, 6);

void BM_Prettify(benchmark::State& state) {
  const auto expr = Parse(Expression(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(Prettify(**expr));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Prettify)->DenseRange(3, 6);

}  // namespace
}  // namespace aevum::promql
