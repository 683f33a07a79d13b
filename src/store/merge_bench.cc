// Merging streams of series: nanoseconds a series that comes in.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "store/merge.h"

namespace aevum::store {
namespace {

constexpr std::size_t kBatch = 512;

// Ten labels, some 250 bytes, as a pod's metric has them.
model::Labels MakeLabels(int i) {
  const std::string instance = fmt::format("10.{}.{}.{}:9100", i / 65536, i / 256 % 256, i % 256);
  const std::string pod = fmt::format("checkout-service-7d9f8b6c5d-{:06}", i);
  return model::Labels::Of({{"__name__", "http_request_duration_seconds_bucket"},
                            {"cluster", "production-eu-west-1"},
                            {"container", "checkout-service"},
                            {"endpoint", "http-metrics"},
                            {"instance", instance},
                            {"job", "kubernetes-pods"},
                            {"le", "0.25"},
                            {"namespace", "checkout"},
                            {"node", "ip-10-0-0-1.eu-west-1.compute.internal"},
                            {"pod", pod}});
}

using Batches = std::vector<wire::SeriesBatch>;

Batches MakeBatches(const std::vector<model::Labels>& labels) {
  static const std::string payload(180, 'x');
  Batches batches;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i % kBatch == 0) batches.emplace_back();
    wire::SeriesBatch& batch = batches.back();
    batch.series.push_back({.labels = labels[i],
                            .first_chunk = static_cast<std::uint32_t>(batch.chunks.size()),
                            .chunk_count = 1});
    batch.chunks.push_back({.min_time = static_cast<TimestampMs>(i),
                            .max_time = static_cast<TimestampMs>(i) + 1,
                            .data = payload,
                            .encoding = chunk::Encoding::kXor});
  }
  return batches;
}

class BatchStream final : public SeriesStream {
 public:
  explicit BatchStream(Batches batches) : batches_(std::move(batches)) {}
  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    if (position_ == batches_.size()) {
      batch->Clear();
      return false;
    }
    *batch = std::move(batches_[position_++]);
    return true;
  }

 private:
  Batches batches_;
  std::size_t position_ = 0;
};

// `share`: how many of the streams have each series; 1 is disjoint.
void RunMerge(benchmark::State& state, int streams, int per_stream, int share) {
  std::vector<std::vector<model::Labels>> labels(static_cast<std::size_t>(streams));
  for (int i = 0; i < per_stream * streams / share; ++i) {
    const model::Labels one = MakeLabels(i);
    for (int s = 0; s < share; ++s) {
      labels[static_cast<std::size_t>((i * share + s) % streams)].push_back(one);
    }
  }
  for (auto& list : labels) std::sort(list.begin(), list.end());
  std::vector<Batches> batches;
  for (const auto& list : labels) batches.push_back(MakeBatches(list));
  std::size_t out = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<std::unique_ptr<SeriesStream>> inputs;
    for (const Batches& one : batches) inputs.push_back(std::make_unique<BatchStream>(one));
    state.ResumeTiming();
    auto merged = MergeStreams(std::move(inputs));
    wire::SeriesBatch batch;
    out = 0;
    while (*merged->Next(&batch)) out += batch.series.size();
  }
  if (out != static_cast<std::size_t>(per_stream * streams / share)) {
    state.SkipWithError("wrong number of series");
  }
  state.SetItemsProcessed(state.iterations() * streams * per_stream);
}

void BM_MergeSame(benchmark::State& state) { RunMerge(state, 4, 100'000, 4); }
void BM_MergePairs(benchmark::State& state) { RunMerge(state, 4, 100'000, 2); }
void BM_MergeDisjoint(benchmark::State& state) { RunMerge(state, 4, 100'000, 1); }
// As many as fit the cache, where labels that were just decoded are.
void BM_MergeSameCached(benchmark::State& state) { RunMerge(state, 4, 2'000, 4); }
void BM_MergeDisjointCached(benchmark::State& state) { RunMerge(state, 4, 2'000, 1); }
void BM_MergeManySmall(benchmark::State& state) { RunMerge(state, 1000, 3, 1); }
BENCHMARK(BM_MergeSame);
BENCHMARK(BM_MergePairs);
BENCHMARK(BM_MergeDisjoint);
BENCHMARK(BM_MergeSameCached);
BENCHMARK(BM_MergeDisjointCached);
BENCHMARK(BM_MergeManySmall);

}  // namespace
}  // namespace aevum::store
