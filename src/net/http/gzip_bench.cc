// Compression of an answer of the API.
#include <random>

#include <benchmark/benchmark.h>

#include "net/http/gzip.h"

namespace aevum::net {
namespace {

// A range query's points: timestamps that go up, values with some digits.
std::string Points(int count) {
  std::mt19937 random(1);
  std::string out;
  for (int i = 0; i < count; ++i) {
    out += "[" + std::to_string(1762218065 + 15 * i) + ".123,\"" +
           std::to_string(static_cast<double>(random() % 1'000'000) / 100) + "\"],";
  }
  return out;
}

void BM_Gzip(benchmark::State& state) {
  const std::string points = Points(static_cast<int>(state.range(0)));
  std::size_t compressed = 0;
  for (auto _ : state) {
    GzipStream stream;
    std::string out;
    stream.Compress(points, GzipStream::End::kYes, &out);
    compressed = out.size();
    benchmark::DoNotOptimize(out);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(points.size()));
  state.counters["bytes_per_point"] =
      static_cast<double>(compressed) / static_cast<double>(state.range(0));
}
BENCHMARK(BM_Gzip)->Arg(100)->Arg(100'000);

}  // namespace
}  // namespace aevum::net
