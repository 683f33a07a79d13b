// One replica or two through the proxy into columns: nanoseconds a sample that comes out.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <prometheus/registry.h>

#include "chunk/xor.h"
#include "store/proxy.h"
#include "store/queryable.h"
#include "store/testing/fake_store.h"

namespace aevum::store {
namespace {

constexpr int kSamples = 240;

struct Replica {
  std::vector<std::unique_ptr<std::string>> bytes;
  std::shared_ptr<testing::FakeStore> store;
};

Replica MakeReplica(std::string_view name, TimestampMs offset, int count) {
  Replica replica;
  std::vector<testing::FakeSeries> series;
  for (int s = 0; s < count; ++s) {
    const std::string instance = fmt::format("10.{}.{}.{}:9100", s / 65536, s / 256 % 256, s % 256);
    testing::FakeSeries one{
        .labels = model::Labels::Of(
            {{"__name__", "m"}, {"instance", instance}, {"job", "node"}, {"replica", name}}),
        .chunks = {}};
    chunk::XorEncoder encoder;
    TimestampMs first = 0;
    for (int i = 0; i < kSamples; ++i) {
      const TimestampMs time = offset + 15000 * i + (s * 7 + i * 13) % 50;
      if (encoder.samples() == 0) first = time;
      encoder.Append(time, s + i * 3);
      if (encoder.samples() < 120) continue;
      replica.bytes.push_back(std::make_unique<std::string>(encoder.Bytes()));
      one.chunks.push_back({.min_time = first,
                            .max_time = time,
                            .data = *replica.bytes.back(),
                            .encoding = chunk::Encoding::kXor});
      encoder.Reset();
    }
    series.push_back(std::move(one));
  }
  replica.store = std::make_shared<testing::FakeStore>(std::move(series));
  replica.store->batch_size = 256;
  return replica;
}

// CPU of the process for a select of everything, replicas made one.
void Select(benchmark::State& state, int replicas, DedupFunction function) {
  std::vector<Replica> made;
  const auto series = static_cast<int>(state.range(0));
  // 4 s between replicas; whose samples come last at the end of the range is the dearer of two
  // cases.
  for (int i = 0; i < replicas; ++i) {
    made.push_back(MakeReplica(i == 0 ? "a" : "b", i * state.range(1), series));
  }
  auto clients = std::make_shared<StoreClients>();
  for (const Replica& replica : made) {
    clients->push_back({.store = replica.store,
                        .address = "replica:1",
                        .supports_sharding = true,
                        .supports_without_replica_labels = true});
  }
  auto proxy = std::make_shared<Proxy>(
      ProxyOptions{}, [&] { return clients; }, Logger(), std::make_shared<prometheus::Registry>());
  StoreQueryable queryable(proxy, {.replica_labels = {"replica"}, .dedup_function = function});
  chunk::Columns columns;
  for (auto _ : state) {
    std::size_t samples = 0;
    state.PauseTiming();  // the fake stores filter and sort, which is not what is measured
    auto stream = queryable.Select(Context::Background(), {model::Matcher::Equal("__name__", "m")},
                                   {.start_ms = 0, .end_ms = 4'000'000});
    state.ResumeTiming();
    while (true) {
      auto batch = *(*stream)->Next();
      if (batch == nullptr) break;
      for (std::size_t i = 0; i < batch->size(); ++i) {
        columns.Clear();
        if (!batch->Decode(i, &columns).ok()) std::abort();
        samples += columns.times.size();
      }
    }
    if (samples != static_cast<std::size_t>(series) * kSamples) {
      state.SkipWithError("wrong number of samples");
    }
  }
  state.SetItemsProcessed(state.iterations() * series * kSamples);
}

void BM_OneReplica(benchmark::State& state) { Select(state, 1, DedupFunction::kAdaptive); }
void BM_TwoReplicasAdaptive(benchmark::State& state) { Select(state, 2, DedupFunction::kAdaptive); }
void BM_TwoReplicasPenalty(benchmark::State& state) { Select(state, 2, DedupFunction::kPenalty); }
BENCHMARK(BM_OneReplica)->Args({5000, 0})->Args({100000, 0})->Unit(benchmark::kMillisecond);
BENCHMARK(BM_TwoReplicasAdaptive)
    ->Args({5000, 4000})
    ->Args({5000, 11000})
    ->Args({100000, 4000})
    ->Args({100000, 11000})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_TwoReplicasPenalty)->Args({5000, 4000})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aevum::store
