#include <string>

#include <benchmark/benchmark.h>

#include "wire/store_api.h"

namespace aevum::wire {
namespace {

// 64 series of ten labels with one chunk of 160 bytes each: a batch as queriers ask for it.
SeriesBatch MakeBatch() {
  SeriesBatch batch;
  static const std::string data(160, 'c');
  for (int i = 0; i < 64; ++i) {
    const std::string pod = fmt::format("frontend-{:08x}", i * 2'654'435'761U);
    batch.series.push_back({model::Labels::Of({{"__name__", "http_request_duration_seconds_bucket"},
                                               {"cluster", "europe-west1-production"},
                                               {"container", "frontend"},
                                               {"endpoint", "metrics"},
                                               {"instance", "10.12.14.16:9090"},
                                               {"job", "frontend"},
                                               {"le", "0.25"},
                                               {"namespace", "shop"},
                                               {"pod", pod},
                                               {"prometheus", "monitoring/k8s"}}),
                            static_cast<std::uint32_t>(batch.chunks.size()), 1});
    batch.chunks.push_back(
        {.min_time = 1, .max_time = 2, .data = data, .encoding = chunk::Encoding::kXor});
  }
  return batch;
}

void BM_EncodeSeriesResponse(benchmark::State& state) {
  const SeriesBatch batch = MakeBatch();
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string message = EncodeSeriesResponse(batch, 0, batch.series.size(), true);
    bytes += message.size();
    benchmark::DoNotOptimize(message.data());
  }
  state.SetItemsProcessed(state.iterations() * 64);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(BM_EncodeSeriesResponse);

void BM_DecodeSeriesResponse(benchmark::State& state) {
  const SharedBytes message = SharedBytes::Own(EncodeSeriesResponse(MakeBatch(), 0, 64, true));
  SeriesBatch batch;
  for (auto _ : state) {
    batch.Clear();
    if (!DecodeSeriesResponse(message, &batch).ok()) state.SkipWithError("damaged");
    benchmark::DoNotOptimize(batch.series.data());
  }
  state.SetItemsProcessed(state.iterations() * 64);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(message.size()));
}
BENCHMARK(BM_DecodeSeriesResponse);

}  // namespace
}  // namespace aevum::wire
