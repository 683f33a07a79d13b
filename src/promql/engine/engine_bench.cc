// The engine over XOR chunks in memory: 1000 counters, 1000 steps, a sample a step or two. Items
// are (series, step) pairs, so the time of an item compares with docs/dev/benchmarks.md.
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "base/check.h"
#include "chunk/xor.h"
#include "promql/engine/engine.h"
#include "promql/engine/row_kernels.h"

namespace aevum::promql {
namespace {

constexpr std::size_t kSeries = 1000;
constexpr std::size_t kSteps = 1000;
constexpr std::int64_t kStepMs = 30'000;
constexpr TimestampMs kStart = 1'700'000'000'000;
constexpr int kSamplesPerChunk = 120;

struct ChunkSeries {
  model::Labels labels;
  std::vector<std::string> chunks;
};
using SharedSeries = std::shared_ptr<const std::vector<ChunkSeries>>;

class ChunkBatch final : public SelectBatch {
 public:
  ChunkBatch(SharedSeries series, std::size_t begin, std::size_t end)
      : series_(std::move(series)), begin_(begin), end_(end) {}
  std::size_t size() const override { return end_ - begin_; }
  const model::Labels& labels(std::size_t index) const override {
    return (*series_)[begin_ + index].labels;
  }
  Status Decode(std::size_t index, chunk::Columns* out) const override {
    for (const std::string& data : (*series_)[begin_ + index].chunks) {
      RETURN_IF_ERROR(chunk::Decode(chunk::Encoding::kXor, data, out));
    }
    return OkStatus();
  }
  std::int64_t memory_bytes() const override {
    std::size_t bytes = 0;
    for (std::size_t i = begin_; i < end_; ++i) {
      for (const std::string& data : (*series_)[i].chunks) bytes += data.size();
    }
    return static_cast<std::int64_t>(bytes);
  }

 private:
  const SharedSeries series_;
  const std::size_t begin_;
  const std::size_t end_;
};

class ChunkStream final : public SelectStream {
 public:
  explicit ChunkStream(SharedSeries series) : series_(std::move(series)) {}
  StatusOr<std::unique_ptr<const SelectBatch>> Next() override {
    constexpr std::size_t kBatch = 64;
    if (next_ == series_->size()) return std::unique_ptr<const SelectBatch>();
    const std::size_t begin = next_;
    next_ = std::min(series_->size(), begin + kBatch);
    return std::unique_ptr<const SelectBatch>(std::make_unique<ChunkBatch>(series_, begin, next_));
  }
  std::vector<std::string> warnings() const override { return {}; }

 private:
  const SharedSeries series_;
  std::size_t next_ = 0;
};

// Gives all its series whatever is asked.
class ChunkStorage final : public Queryable {
 public:
  // Counters with a sample every `interval_ms`, jittered by 50 ms, that start again now and then.
  explicit ChunkStorage(std::int64_t interval_ms, std::size_t count = kSeries) {
    std::mt19937_64 random(1);
    auto all = std::make_shared<std::vector<ChunkSeries>>();
    for (std::size_t i = 0; i < count; ++i) {
      const std::string instance = fmt::format("instance-{:05}", i);
      const std::string group = fmt::format("group-{:03}", i % 200);
      ChunkSeries series{.labels = model::Labels::Of({{model::kMetricName, "requests_total"},
                                                      {"cluster", "eu1"},
                                                      {"group", group},
                                                      {"instance", instance},
                                                      {"job", "server"}})};
      Fill(interval_ms, random, &series);
      all->push_back(std::move(series));
    }
    series_ = std::move(all);
  }
  StatusOr<std::unique_ptr<SelectStream>> Select(const Context& /*context*/,
                                                 const model::Matchers& /*matchers*/,
                                                 const SelectHints& /*hints*/) override {
    return std::unique_ptr<SelectStream>(std::make_unique<ChunkStream>(series_));
  }

 private:
  static void Fill(std::int64_t interval_ms, std::mt19937_64& random, ChunkSeries* series) {
    constexpr std::int64_t kBeforeMs = 600'000;
    const TimestampMs end = kStart + static_cast<std::int64_t>(kSteps) * kStepMs;
    chunk::XorEncoder encoder;
    double value = 0;
    for (TimestampMs time = kStart - kBeforeMs; time <= end; time += interval_ms) {
      value = random() % 5000 == 0 ? 0 : value + static_cast<double>(random() % 1000);
      encoder.Append(time + static_cast<std::int64_t>(random() % 101), value);
      if (encoder.samples() == kSamplesPerChunk) {
        series->chunks.push_back(encoder.Bytes());
        encoder.Reset();
      }
    }
    if (encoder.samples() > 0) series->chunks.push_back(encoder.Bytes());
  }

  SharedSeries series_;
};

// `state.range(0)`: seconds between samples.
void RunQuery(benchmark::State& state, const char* query) {
  ChunkStorage storage(state.range(0) * 1000);
  const Engine engine{EngineOptions{.threads = 1}};
  std::size_t rows = 0;
  for (auto _ : state) {
    const auto result =
        engine.Range(Context::Background(), storage, query, kStart,
                     kStart + static_cast<std::int64_t>(kSteps - 1) * kStepMs, kStepMs);
    AEVUM_CHECK(result.ok());
    rows = result->rows.size();
    benchmark::DoNotOptimize(rows);
  }
  AEVUM_CHECK(rows > 0);
  state.counters["rows"] = static_cast<double>(rows);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSeries * kSteps));
}

#define AEVUM_QUERY_BENCH(name, query)                                \
  void BM_##name(benchmark::State& state) { RunQuery(state, query); } \
  BENCHMARK(BM_##name)->Arg(30)->Arg(15)->Unit(benchmark::kMillisecond)

AEVUM_QUERY_BENCH(Selector, "requests_total");
AEVUM_QUERY_BENCH(SumSelector, "sum(requests_total)");
AEVUM_QUERY_BENCH(Rate1m, "rate(requests_total[1m])");
AEVUM_QUERY_BENCH(Rate5m, "rate(requests_total[5m])");
AEVUM_QUERY_BENCH(SumRate5m, "sum(rate(requests_total[5m]))");
AEVUM_QUERY_BENCH(SumBy200Rate5m, "sum by (group) (rate(requests_total[5m]))");
AEVUM_QUERY_BENCH(AvgOverTime5m, "avg_over_time(requests_total[5m])");
AEVUM_QUERY_BENCH(MaxOverTime5m, "max_over_time(requests_total[5m])");
AEVUM_QUERY_BENCH(Divide, "requests_total / requests_total");

// Ten thousand series over some threads.
void BM_Threads(benchmark::State& state) {
  constexpr std::size_t kMany = 10'000;
  static ChunkStorage storage(15'000, kMany);
  const Engine engine{EngineOptions{.threads = static_cast<std::size_t>(state.range(0))}};
  for (auto _ : state) {
    const auto result =
        engine.Range(Context::Background(), storage, "sum by (group) (rate(requests_total[5m]))",
                     kStart, kStart + static_cast<std::int64_t>(kSteps - 1) * kStepMs, kStepMs);
    AEVUM_CHECK(result.ok() && result->rows.size() == 200);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kMany * kSteps));
}
BENCHMARK(BM_Threads)->Arg(1)->Arg(2)->Arg(4)->UseRealTime()->Unit(benchmark::kMillisecond);

// The loops alone, over rows in the first-level cache.
void BM_AddCompensated(benchmark::State& state) {
  std::vector<double> values(kSteps, 1.5);
  std::vector<std::uint8_t> present(kSteps, 1);
  std::vector<double> sums(kSteps, kEmptySum);
  std::vector<double> compensations(kSteps);
  for (auto _ : state) {
    AddCompensated(kSteps, values.data(), present.data(), sums.data(), compensations.data());
    benchmark::DoNotOptimize(sums.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSteps));
}
BENCHMARK(BM_AddCompensated);

void BM_Extrapolate(benchmark::State& state) {
  const std::vector<double> milliseconds(kSteps, 15'000);
  const std::vector<double> gaps(kSteps, 9);
  std::vector<double> gained(kSteps, 100);
  std::vector<double> span(kSteps), start(kSteps), end(kSteps), factor(kSteps);
  const Extrapolation prepared{
      .span = span.data(), .start = start.data(), .end = end.data(), .factor = factor.data()};
  PrepareExtrapolation(kSteps,
                       {.to_start = milliseconds.data(),
                        .to_end = milliseconds.data(),
                        .span = milliseconds.data(),
                        .gaps = gaps.data()},
                       1, prepared);
  for (auto _ : state) {
    Extrapolate(kSteps, prepared, 1, Slope::kCounter, milliseconds.data(), gained.data());
    benchmark::DoNotOptimize(gained.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSteps));
}
BENCHMARK(BM_Extrapolate);

}  // namespace
}  // namespace aevum::promql
