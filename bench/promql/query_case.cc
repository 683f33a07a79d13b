#include "query_case.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <benchmark/benchmark.h>

#include "promql/engine/engine.h"

namespace aevum::bench {
namespace {

StatusOr<promql::QueryResult> Evaluate(const promql::Engine& engine, const Context& context,
                                       ChunkStorage& storage, const QueryCase& query) {
  if (query.step_ms == 0) return engine.Instant(context, storage, query.query, query.start_ms);
  return engine.Range(context, storage, query.query, query.start_ms, query.end_ms, query.step_ms);
}

void RunQuery(benchmark::State& state, const QueryCase& query, ChunkStorage& storage) {
  const promql::Engine engine(
      {.parse = {.experimental_functions = true, .extended_range_selectors = true}, .threads = 1});
  for (auto _ : state) {
    const auto budget = std::make_shared<MemoryBudget>("query", MemoryBudget::kUnlimited);
    const auto result = Evaluate(engine, Context::Background().WithBudget(budget), storage, query);
    if (!result.ok()) {
      state.SkipWithError(result.status().ToString().c_str());
      break;
    }
    state.counters["peak_bytes"] = static_cast<double>(budget->peak_bytes());
    state.counters["rows"] = static_cast<double>(result->rows.size());
    state.counters["samples"] = static_cast<double>(result->stats.samples);
  }
}

}  // namespace

void RegisterQuery(QueryCase query, StorageFunction storage) {
  const std::string name = GoName(query.name);
  benchmark::RegisterBenchmark(name.c_str(), [query = std::move(query),
                                              storage](benchmark::State& state) {
    RunQuery(state, query, storage());
  })->Unit(benchmark::kMicrosecond);
}

std::string GoName(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

}  // namespace aevum::bench
