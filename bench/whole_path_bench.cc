// The whole path of a query without sockets: two replicas in memory, fan-out, merge, decoding,
// deduplication, PromQL, JSON.
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <prometheus/registry.h>

#include "chunk/xor.h"
#include "promql/engine/engine.h"
#include "query/json_writer.h"
#include "store/proxy.h"
#include "store/queryable.h"
#include "store/testing/fake_store.h"

namespace aevum {
namespace {

constexpr int kSeries = 20'000;
constexpr int kSamples = 240;  // an hour at 15 s
constexpr std::int64_t kScrapeMs = 15'000;

// A replica that scrapes `offset_ms` after the full interval, with some jitter.
class Replica {
 public:
  Replica(std::string_view name, TimestampMs offset_ms) {
    std::vector<store::testing::FakeSeries> all;
    for (int s = 0; s < kSeries; ++s) {
      const std::string pod = fmt::format("pod-{:05}", s);
      const std::string x = fmt::format("x-{}", s % 50);
      store::testing::FakeSeries series{
          .labels = model::Labels::Of(
              {{"__name__", "m"}, {"job", "node"}, {"pod", pod}, {"replica", name}, {"x", x}}),
          .chunks = {}};
      chunk::XorEncoder encoder;
      TimestampMs first = 0;
      for (int i = 0; i < kSamples; ++i) {
        const TimestampMs time = offset_ms + kScrapeMs * i + (s * 7 + i * 13) % 50;
        if (encoder.samples() == 0) first = time;
        encoder.Append(time, s + i * 3);
        if (encoder.samples() < 120) continue;
        bytes_.push_back(std::make_unique<std::string>(encoder.Bytes()));
        series.chunks.push_back({.min_time = first,
                                 .max_time = time,
                                 .data = *bytes_.back(),
                                 .encoding = chunk::Encoding::kXor});
        encoder.Reset();
      }
      all.push_back(std::move(series));
    }
    store_ = std::make_shared<store::testing::FakeStore>(std::move(all));
    store_->batch_size = 256;
  }
  std::shared_ptr<store::Store> store() const { return store_; }

 private:
  std::vector<std::unique_ptr<std::string>> bytes_;
  std::shared_ptr<store::testing::FakeStore> store_;
};

void BM_WholePath(benchmark::State& state, const std::string& query) {
  static const Replica a("a", 0);
  static const Replica b("b", 4'000);
  auto clients = std::make_shared<store::StoreClients>();
  for (const Replica* replica : {&a, &b}) {
    clients->push_back({.store = replica->store(),
                        .address = "replica:1",
                        .supports_sharding = true,
                        .supports_without_replica_labels = true});
  }
  auto proxy = std::make_shared<store::Proxy>(
      store::ProxyOptions{}, [&] { return clients; }, Logger(),
      std::make_shared<prometheus::Registry>());
  store::StoreQueryable queryable(proxy, {.replica_labels = {"replica"}});
  const promql::Engine engine({});
  constexpr TimestampMs kEnd = kScrapeMs * kSamples;
  constexpr std::int64_t kStep = 30'000;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto budget = std::make_shared<MemoryBudget>("query", MemoryBudget::kUnlimited);
    const auto result = engine.Range(Context::Background().WithBudget(budget), queryable, query,
                                     300'000, kEnd, kStep);
    if (!result.ok()) std::abort();
    query::JsonWriter writer([&](std::string_view piece) {
      bytes += piece.size();
      return true;
    });
    writer.QueryData(*result, query::StatsDetail::kNone);
    writer.Finish();
    state.counters["peak_MiB"] = static_cast<double>(budget->peak_bytes()) / (1 << 20);
  }
  const auto steps = static_cast<double>((kEnd - 300'000) / kStep + 1);
  state.counters["ns/(series,step)"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kSeries * steps * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["json_bytes"] =
      static_cast<double>(bytes) / static_cast<double>(state.iterations());
}

BENCHMARK_CAPTURE(BM_WholePath, sum_by_rate, "sum by (x) (rate(m[5m]))")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_WholePath, rate, "rate(m[5m])")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aevum
