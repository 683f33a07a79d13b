// Deduplicating replicas: nanoseconds a sample that comes in.
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "store/dedup/penalty.h"
#include "store/dedup/replicas.h"

namespace aevum::store::dedup {
namespace {

// An hour of scrapes every 15 s with some jitter; every 40th is missing.
chunk::Columns MakeReplica(TimestampMs offset, unsigned seed) {
  std::mt19937 random(seed);
  chunk::Columns columns;
  for (TimestampMs i = 0; i < 240; ++i) {
    if (random() % 40 == 0) continue;
    columns.times.push_back(offset + i * 15000 + static_cast<TimestampMs>(random() % 50));
    columns.values.push_back(static_cast<double>(i));
  }
  return columns;
}

void RunPenalty(benchmark::State& state, Adjust adjust) {
  std::vector<chunk::Columns> replicas;
  std::int64_t samples = 0;
  for (unsigned r = 0; r < static_cast<unsigned>(state.range(0)); ++r) {
    replicas.push_back(MakeReplica(4000 * static_cast<TimestampMs>(r), r));
    samples += static_cast<std::int64_t>(replicas.back().times.size());
  }
  std::vector<Row> rows;
  for (const chunk::Columns& replica : replicas) rows.push_back({.columns = &replica});
  chunk::Columns out;
  for (auto _ : state) {
    out.Clear();
    MergePenalty(rows, adjust, ResetHints::kForgetAtSeams, &out);
    benchmark::DoNotOptimize(out.values.data());
  }
  if (out.times.size() < 230) state.SkipWithError("too few samples");
  state.SetItemsProcessed(state.iterations() * samples);
}

void BM_Penalty(benchmark::State& state) { RunPenalty(state, Adjust::kNone); }
void BM_PenaltyCounter(benchmark::State& state) { RunPenalty(state, Adjust::kCounter); }
BENCHMARK(BM_Penalty)->Arg(2)->Arg(3);
BENCHMARK(BM_PenaltyCounter)->Arg(2);

void BM_Chain(benchmark::State& state) {
  const std::vector<chunk::Columns> replicas = {MakeReplica(0, 1), MakeReplica(4000, 2)};
  std::vector<Row> rows;
  for (const chunk::Columns& replica : replicas) rows.push_back({.columns = &replica});
  chunk::Columns out;
  for (auto _ : state) {
    out.Clear();
    MergeChain(rows, &out);
    benchmark::DoNotOptimize(out.values.data());
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(replicas[0].times.size() * 2));
}
BENCHMARK(BM_Chain);

void BM_Union(benchmark::State& state) {
  const std::vector<chunk::Columns> chunks = {MakeReplica(0, 1), MakeReplica(0, 1)};
  chunk::Columns out;
  for (auto _ : state) {
    out.Clear();
    Union(chunks, &out);
    benchmark::DoNotOptimize(out.values.data());
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(chunks[0].times.size() * 2));
}
BENCHMARK(BM_Union);

}  // namespace
}  // namespace aevum::store::dedup
