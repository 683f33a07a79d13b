// One replica or two through the proxy into columns: nanoseconds a sample that comes out.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <prometheus/registry.h>

#include "chunk/xor.h"
#include "store/proxy.h"
#include "store/queryable.h"
#include "wire/store_api.h"

namespace aevum::store {
namespace {

constexpr int kSamples = 240;
constexpr TimestampMs kInterval = 15'000;
constexpr TimestampMs kEpoch = 7'200'000;
constexpr int kSeriesOfPod = 20;
constexpr int kSeriesOfMessage = 64;  // as queriers ask for them
constexpr std::uint64_t kHash = 0x9e3779b97f4a7c15;

// What is varied; the arguments of the benchmarks, in this order.
struct Shape {
  std::int64_t series = 0;
  // Every scrape is off by up to this many milliseconds. 0: as Prometheus stores them, which moves
  // a scrape that is off by less than 2 ms to where it should have been; 3 % are off by more.
  std::int64_t jitter = 0;
  std::int64_t minute =
      0;              // of two hours, at which the hour starts: after 60 an epoch begins in it
  bool wire = false;  // the messages of the stores are parsed too

  explicit Shape(const benchmark::State& state)
      : series(state.range(0)),
        jitter(state.range(1)),
        minute(state.range(2)),
        wire(state.range(3) != 0) {}
  TimestampMs start() const { return 230'000 * kEpoch + minute * 60'000; }
  TimestampMs end() const { return start() + kSamples * kInterval - 1; }
};

// A chunk of Prometheus: of 120 samples, but none goes on across two hours.
bool EndsChunk(const chunk::XorEncoder& encoder, TimestampMs time) {
  return encoder.samples() == 120 || time % kEpoch >= kEpoch - kInterval;
}

// Of ten series three hardly change, three are counters of events, one a counter of seconds, the
// rest gauges of integers and of decimals.
double NextValue(int kind, double value, std::mt19937_64& random) {
  switch (kind) {
    case 0:
    case 1:
    case 2:
      return random() % 40 == 0 ? value + 1 : value;
    case 3:
    case 4:
    case 5:
      return value + static_cast<double>(random() % 50);
    case 6:
      return value + static_cast<double>(random() % 10'000) * 1e-4;
    case 7:
    case 8:
      return static_cast<double>(random() % 1000);
    default:
      return value + (static_cast<double>(random() % 2001) - 1000) * 1e-3;
  }
}

model::Labels LabelsOf(int s) {
  const int pod = s / kSeriesOfPod;
  const std::uint64_t hash = static_cast<std::uint64_t>(pod) * kHash;
  const int kind = s % kSeriesOfPod;
  return model::Labels::Of(
      {{"__name__", "http_server_requests_total"},
       {"cluster", "europe-west1-production"},
       {"code", fmt::format("{}", 200 + 100 * (kind / 4))},
       {"container", "checkout"},
       {"handler", fmt::format("/api/v1/orders/{}", kind % 4)},
       {"instance", fmt::format("10.{}.{}.{}:9090", 12 + pod / 65536, pod / 256 % 256, pod % 256)},
       {"job", "checkout"},
       {"method", kind % 2 == 0 ? "GET" : "POST"},
       {"namespace", "shop"},
       {"pod", fmt::format("checkout-{:08x}-{:05x}", hash >> 32, pod)}});
}

// Replicas read the same values at an offset of their own for each target.
void AddChunks(const Shape& shape, int replica, int s, std::vector<std::string>* bytes,
               wire::SeriesBatch* batch) {
  const auto pod = static_cast<unsigned>(s / kSeriesOfPod);
  std::mt19937_64 offsets(pod * 16 + static_cast<unsigned>(replica));
  std::mt19937_64 values(static_cast<unsigned>(s));
  const auto offset = static_cast<TimestampMs>(50 + offsets() % 14'900);
  std::mt19937_64 jitter(static_cast<unsigned>(s * 16 + replica));
  double value = static_cast<double>(values() % 1'000'000);
  chunk::XorEncoder encoder;
  TimestampMs first = 0;
  for (int i = 0; i < kSamples; ++i) {
    TimestampMs time = shape.start() + offset + kInterval * i;
    if (shape.jitter > 0 || jitter() % 100 < 3) {
      const auto most = static_cast<unsigned>(std::max<std::int64_t>(shape.jitter, 10));
      time += static_cast<TimestampMs>(jitter() % (2 * most + 1)) - most;
    }
    value = NextValue(s % 10, value, values);
    if (encoder.samples() == 0) first = time;
    encoder.Append(time, value);
    if (!EndsChunk(encoder, time) && i + 1 < kSamples) continue;
    bytes->push_back(encoder.Bytes());
    batch->chunks.push_back(
        {.min_time = first, .max_time = time, .encoding = chunk::Encoding::kXor});
    encoder.Reset();
  }
}

// Gives the series of a replica out of memory: messages as they are received, or what was parsed of
// them, in batches as a client gives them.
class MemoryStore final : public Store {
 public:
  MemoryStore(const Shape& shape, int replica) : wire_(shape.wire) {
    std::vector<std::pair<model::Labels, int>> order;
    for (int s = 0; s < shape.series; ++s) order.emplace_back(LabelsOf(s), s);
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < order.size(); i += kSeriesOfMessage) {
      wire::SeriesBatch batch;
      std::vector<std::string> bytes;
      for (std::size_t k = i; k < std::min(order.size(), i + kSeriesOfMessage); ++k) {
        const auto first_chunk = static_cast<std::uint32_t>(batch.chunks.size());
        AddChunks(shape, replica, order[k].second, &bytes, &batch);
        batch.series.push_back(
            {.labels = order[k].first,
             .first_chunk = first_chunk,
             .chunk_count = static_cast<std::uint32_t>(batch.chunks.size()) - first_chunk});
      }
      for (std::size_t c = 0; c < bytes.size(); ++c) batch.chunks[c].data = bytes[c];
      messages_.push_back(SharedBytes::Own(
          wire::EncodeSeriesResponse(batch, 0, batch.series.size(), /*as_batch=*/true)));
      if (wire_) continue;
      parsed_.emplace_back();
      if (!wire::DecodeSeriesResponse(messages_.back(), &parsed_.back()).ok()) std::abort();
    }
  }

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& /*context*/,
                                                 const wire::SeriesRequest& /*request*/) override {
    return std::make_unique<Stream>(this);
  }
  StatusOr<wire::LabelsResponse> LabelNames(const Context& /*context*/,
                                            const wire::LabelNamesRequest& /*request*/) override {
    return wire::LabelsResponse{};
  }
  StatusOr<wire::LabelsResponse> LabelValues(const Context& /*context*/,
                                             const wire::LabelValuesRequest& /*request*/) override {
    return wire::LabelsResponse{};
  }
  StatusOr<wire::InfoResponse> Info(const Context& /*context*/) override {
    return wire::InfoResponse{};
  }

 private:
  class Stream final : public SeriesStream {
   public:
    explicit Stream(const MemoryStore* store) : store_(store) {}
    StatusOr<bool> Next(wire::SeriesBatch* batch) override {
      batch->Clear();
      if (next_ == store_->messages_.size()) return false;
      if (store_->wire_) {
        RETURN_IF_ERROR(wire::DecodeSeriesResponse(store_->messages_[next_], batch));
      } else {
        *batch = store_->parsed_[next_];
      }
      ++next_;
      return true;
    }

   private:
    const MemoryStore* const store_;
    std::size_t next_ = 0;
  };

  const bool wire_;
  std::vector<SharedBytes> messages_;
  std::vector<wire::SeriesBatch> parsed_;
};

// CPU of a select of everything, replicas made one.
void Select(benchmark::State& state, std::vector<int> replicas, DedupFunction function) {
  const Shape shape(state);
  auto clients = std::make_shared<StoreClients>();
  for (const int replica : replicas) {
    clients->push_back({.store = std::make_shared<MemoryStore>(shape, replica),
                        .address = "replica:1",
                        .supports_sharding = true,
                        .supports_without_replica_labels = true});
  }
  auto proxy = std::make_shared<Proxy>(
      ProxyOptions{}, [&] { return clients; }, Logger(), std::make_shared<prometheus::Registry>());
  StoreQueryable queryable(proxy, {.replica_labels = {"replica"}, .dedup_function = function});
  chunk::Columns columns;
  std::size_t samples = 0;
  for (auto _ : state) {
    samples = 0;
    auto stream =
        queryable.Select(Context::Background(), {model::Matcher::Equal("job", "checkout")},
                         {.start_ms = shape.start(), .end_ms = shape.end()});
    while (true) {
      auto batch = *(*stream)->Next();
      if (batch == nullptr) break;
      for (std::size_t i = 0; i < batch->size(); ++i) {
        columns.Clear();
        if (!batch->Decode(i, &columns).ok()) std::abort();
        samples += columns.times.size();
      }
    }
  }
  // A change of replicas may leave out one sample or add one.
  const std::size_t expected = static_cast<std::size_t>(shape.series) * kSamples;
  if (samples < expected * 99 / 100 || samples > expected * 101 / 100) {
    state.SkipWithError("wrong number of samples");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(samples));
}

void BM_OneReplica(benchmark::State& state) { Select(state, {0}, DedupFunction::kAdaptive); }
void BM_TwoReplicas(benchmark::State& state) { Select(state, {0, 1}, DedupFunction::kAdaptive); }
// The same chunks from two stores.
void BM_TwoCopies(benchmark::State& state) { Select(state, {0, 0}, DedupFunction::kAdaptive); }
void BM_TwoReplicasPenalty(benchmark::State& state) {
  Select(state, {0, 1}, DedupFunction::kPenalty);
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"series", "jitter", "minute", "wire"})->Unit(benchmark::kMillisecond);
  benchmark->Iterations(20);  // making the series takes longer than reading them
  for (const std::int64_t series : {5'000, 100'000}) {
    for (const std::int64_t jitter : {20, 0}) {
      benchmark->Args({series, jitter, 15, 0});
      benchmark->Args({series, jitter, 15, 1});
    }
    benchmark->Args({series, 20, 95, 0});
  }
}
BENCHMARK(BM_OneReplica)->Apply(Shapes);
BENCHMARK(BM_TwoReplicas)->Apply(Shapes);
BENCHMARK(BM_TwoCopies)->Apply(Shapes);
BENCHMARK(BM_TwoReplicasPenalty)
    ->ArgNames({"series", "jitter", "minute", "wire"})
    ->Args({5'000, 20, 15, 0})
    ->Iterations(20)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aevum::store
