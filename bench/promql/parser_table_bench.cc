// The expressions of Prometheus's BenchmarkParser, under its names.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "base/check.h"
#include "chunk_storage.h"
#include "promql/engine/durations.h"
#include "promql/engine/optimizer.h"
#include "promql/parser.h"
#include "query_case.h"

namespace aevum::bench {
namespace {

const char* const kExpressions[] = {
    "a",
    "metric",
    "1",
    "1 >= bool 1",
    "1 + 2/(3*1)",
    "foo or bar",
    "foo and bar unless baz or qux",
    "bar + on(foo) bla / on(baz, buz) group_right(test) blub",
    "foo / ignoring(test,blub) group_left(blub) bar",
    "foo - ignoring(test,blub) group_right(bar,foo) bar",
    R"(foo{a="b", foo!="bar", test=~"test", bar!~"baz"})",
    R"(min_over_time(rate(foo{bar="baz"}[2s])[5m:])[4m:3s])",
    "sum without(and, by, avg, count, alert, annotations)(some_metric) [30m:10s]",
    R"(sort_by_label(metric, "foo", "bar"))",
};

const char* const kErrors[] = {
    "(",
    "}",
    "1 or 1",
    "1 or on(bar) foo",
    "foo unless on(bar) group_left(baz) bar",
    "test[5d] OFFSET 10s [10m:5s]",
};

constexpr promql::ParseOptions kOptions = {.experimental_functions = true};

void ParseExpression(benchmark::State& state, std::string_view text, bool succeeds) {
  for (auto _ : state) {
    const auto expr = promql::Parse(text, kOptions);
    if (expr.ok() != succeeds) {
      state.SkipWithError(succeeds ? expr.status().ToString().c_str() : "parsed without an error");
      break;
    }
  }
}

// The passes over the tree between the parser and the planner. They change it, so that each time
// takes a new one.
void Preprocess(benchmark::State& state, std::string_view text) {
  constexpr std::int64_t kHourMs = 3'600'000;
  constexpr std::int64_t kStepMs = 60'000;
  constexpr std::size_t kTrees = 1000;
  const ChunkStorage empty({});
  std::vector<promql::ExprPtr> trees(kTrees);
  while (state.KeepRunningBatch(kTrees)) {
    state.PauseTiming();
    for (promql::ExprPtr& tree : trees) {
      auto parsed = promql::Parse(text, kOptions);
      AEVUM_CHECK(parsed.ok());
      tree = std::move(*parsed);
    }
    state.ResumeTiming();
    for (promql::ExprPtr& tree : trees) {
      AEVUM_CHECK(promql::ResolveDurations(kStepMs, kHourMs, tree.get()).ok());
      benchmark::DoNotOptimize(promql::Optimize(empty, &tree));
    }
  }
}

[[maybe_unused]] const bool kRegistered = [] {
  const auto add = [](const std::string& name, const char* text, bool succeeds) {
    benchmark::RegisterBenchmark(
        GoName("Prometheus/Parser/" + name).c_str(),
        [text, succeeds](benchmark::State& state) { ParseExpression(state, text, succeeds); });
  };
  for (const char* text : kExpressions) add(text, text, true);
  for (const char* text : kExpressions) {
    benchmark::RegisterBenchmark(
        GoName(fmt::format("Prometheus/Parser/preprocess {}", text)).c_str(),
        [text](benchmark::State& state) { Preprocess(state, text); });
  }
  for (const char* text : kErrors) add(fmt::format("{} (should fail)", text), text, false);
  return true;
}();

}  // namespace
}  // namespace aevum::bench
