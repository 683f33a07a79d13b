// The expressions of Prometheus's BenchmarkParser, under its names.
#include <memory>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "chunk_storage.h"
#include "promql/engine/durations.h"
#include "promql/engine/planner.h"
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

Status Plan(promql::Planner& planner, const promql::Expr& expr) {
  switch (promql::TypeOf(expr)) {
    case promql::ValueType::kScalar:
      return planner.Scalar(expr).status();
    case promql::ValueType::kMatrix:
      return planner.Vector(*promql::As<promql::SubqueryExpr>(expr).expr).status();
    default:
      return planner.Vector(expr).status();
  }
}

// All that happens between the parser and the first series: durations are resolved and operators
// made. That is more than Prometheus's pass over the tree, which is the case's name.
void Preprocess(benchmark::State& state, std::string_view text) {
  constexpr std::int64_t kHourMs = 3'600'000;
  constexpr std::int64_t kStepMs = 60'000;
  ChunkStorage empty({});
  const Context context = Context::Background();
  const auto expr = promql::Parse(text, kOptions);
  for (auto _ : state) {
    promql::Annotations annotations;
    promql::QueryState query{.context = context,
                             .queryable = empty,
                             .query_end = kHourMs,
                             .query_step_ms = kStepMs,
                             .lookback_ms = 300'000,
                             .default_subquery_step_ms = kStepMs,
                             .annotations = annotations};
    promql::Planner planner(query, {.step = kStepMs, .steps = kHourMs / kStepMs + 1});
    Status status = promql::ResolveDurations(kStepMs, kHourMs, expr->get());
    if (status.ok()) status = Plan(planner, **expr);
    if (!status.ok()) {
      state.SkipWithError(status.ToString().c_str());
      break;
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
