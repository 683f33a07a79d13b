// Reads that lie near one another made into one.
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "storegateway/range_merger.h"

namespace aevum::storegateway {
namespace {

// Chunks of 120 to 16,000 bytes behind one another; every argument-th is wanted.
void BM_MergeExtents(benchmark::State& state) {
  std::vector<Extent> extents;
  std::uint64_t at = 8;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    if (i % static_cast<std::uint64_t>(state.range(0)) == 0) extents.push_back({at, at + 16'000});
    at += 120 + i * 7 % 200;
  }
  std::size_t parts = 0;
  for (auto _ : state) parts = MergedExtents(extents).parts().size();
  state.counters["parts"] = static_cast<double>(parts);
  state.SetItemsProcessed(static_cast<std::int64_t>(extents.size()) * state.iterations());
}
BENCHMARK(BM_MergeExtents)->Arg(1)->Arg(1000);

}  // namespace
}  // namespace aevum::storegateway
