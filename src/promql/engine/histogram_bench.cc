// The engine over chunks of native histograms in memory: 200 counters, 1000 steps, a sample a step
// or two. Items are (series, step) pairs.
#include <bit>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "base/check.h"
#include "chunk/chunk.h"
#include "promql/engine/engine.h"

namespace aevum::promql {
namespace {

constexpr std::size_t kSeries = 200;
constexpr std::size_t kSteps = 1000;
constexpr std::int64_t kStepMs = 30'000;
constexpr TimestampMs kStart = 1'700'000'000'000;
constexpr int kSamplesPerChunk = 120;
constexpr int kMostBuckets = 48;

class BitWriter {
 public:
  void Write(std::uint64_t value, unsigned bits) {
    for (unsigned i = bits; i-- > 0;) {
      if (used_ % 8 == 0) bytes_.push_back('\0');
      if ((value >> i & 1) != 0) bytes_.back() |= static_cast<char>(0x80 >> used_ % 8);
      ++used_;
    }
  }
  void WriteVarbit(std::int64_t value) {
    if (value == 0) return Write(0, 1);
    constexpr unsigned kWidths[] = {3, 6, 9, 12, 18, 25, 56};
    unsigned ones = 1;
    for (const unsigned width : kWidths) {
      const std::int64_t half = std::int64_t{1} << (width - 1);
      if (-half < value && value <= half) {
        Write(((1U << ones) - 1) << 1, ones + 1);
        return Write(static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << width) - 1), width);
      }
      ++ones;
    }
    Write(0xff, 8);
    Write(static_cast<std::uint64_t>(value), 64);
  }
  void WriteUnsignedVarbit(std::uint64_t value) {
    if (value == 0) return Write(0, 1);
    constexpr unsigned kWidths[] = {3, 6, 9, 12, 18, 25, 56};
    unsigned ones = 1;
    for (const unsigned width : kWidths) {
      if (value < std::uint64_t{1} << width) {
        Write(((1U << ones) - 1) << 1, ones + 1);
        return Write(value, width);
      }
      ++ones;
    }
    Write(0xff, 8);
    Write(value, 64);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  unsigned used_ = 0;
};

// The counts of one series, some buckets of which are in use.
struct Counter {
  int first_bucket = 0;
  std::vector<std::int64_t> buckets;  // those of no observation yet are not in the layout
  std::int64_t zero_count = 0;
  double sum = 0;

  std::int64_t count() const {
    std::int64_t all = zero_count;
    for (const std::int64_t bucket : buckets) all += bucket;
    return all;
  }
};

// A chunk of integer counts; the layout is that of the last sample.
std::string Encode(const std::vector<TimestampMs>& times, const std::vector<Counter>& samples) {
  BitWriter writer;
  writer.Write(samples.size(), 16);
  writer.Write(0, 8);
  writer.Write(243 - 127, 8);  // the zero threshold, 2^-128
  writer.WriteVarbit(3);
  const Counter& last = samples.back();
  std::vector<std::size_t> used;
  std::vector<model::Span> spans;
  for (std::size_t i = 0; i < last.buckets.size(); ++i) {
    if (last.buckets[i] == 0) continue;
    const std::size_t next = used.empty() ? 0 : used.back() + 1;
    if (spans.empty() || next != i) {
      const auto offset = static_cast<std::int32_t>(i - next);
      spans.push_back({spans.empty() ? last.first_bucket + offset : offset, 0});
    }
    ++spans.back().length;
    used.push_back(i);
  }
  writer.WriteUnsignedVarbit(spans.size());
  for (const model::Span& span : spans) {
    writer.WriteUnsignedVarbit(span.length);
    writer.WriteVarbit(span.offset);
  }
  writer.WriteUnsignedVarbit(0);
  std::vector<std::int64_t> before(used.size() + 3);
  std::vector<std::int64_t> delta(used.size() + 3);
  for (std::size_t s = 0; s < samples.size(); ++s) {
    std::vector<std::int64_t> now = {times[s], samples[s].count(), samples[s].zero_count};
    std::int64_t left = 0;
    for (const std::size_t i : used)
      now.push_back(samples[s].buckets[i] - std::exchange(left, samples[s].buckets[i]));
    for (std::size_t i = 0; i < now.size(); ++i) {
      const std::int64_t change = s == 0 ? now[i] : now[i] - before[i] - delta[i];
      delta[i] = s == 0 ? 0 : now[i] - before[i];
      before[i] = now[i];
      if (s == 0 && (i == 1 || i == 2)) {
        writer.WriteUnsignedVarbit(static_cast<std::uint64_t>(change));
      } else {
        writer.WriteVarbit(change);
      }
      if (i != 2) continue;
      if (s > 0) writer.Write(0b11'00000'000000, 13);  // all 64 bits differ
      const auto bits = std::bit_cast<std::uint64_t>(samples[s].sum);
      const auto old = s > 0 ? std::bit_cast<std::uint64_t>(samples[s - 1].sum) : 0;
      writer.Write(bits ^ old, 64);
    }
  }
  return writer.bytes();
}

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
    for (const std::string& data : (*series_)[begin_ + index].chunks)
      RETURN_IF_ERROR(chunk::Decode(chunk::Encoding::kHistogram, data, out));
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
class HistogramStorage final : public Queryable {
 public:
  // A sample every `interval_ms`, jittered by 50 ms; latencies of 20 requests or so between two,
  // around a median that differs from series to series; counters start again now and then.
  explicit HistogramStorage(std::int64_t interval_ms) {
    std::mt19937_64 random(1);
    auto all = std::make_shared<std::vector<ChunkSeries>>();
    for (std::size_t i = 0; i < kSeries; ++i) {
      const std::string instance = fmt::format("instance-{:04}", i);
      const std::string group = fmt::format("group-{:03}", i % 20);
      ChunkSeries series{.labels = model::Labels::Of({{model::kMetricName, "latency_seconds"},
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
    const int median = static_cast<int>(random() % 8);
    std::normal_distribution<double> place(kMostBuckets / 2 + median, 5);
    const Counter fresh{.first_bucket = -40,
                        .buckets = std::vector<std::int64_t>(kMostBuckets + 8)};
    Counter counter = fresh;
    std::vector<TimestampMs> times;
    std::vector<Counter> samples;
    const auto flush = [&] {
      if (!samples.empty()) series->chunks.push_back(Encode(times, samples));
      times.clear();
      samples.clear();
    };
    for (TimestampMs time = kStart - kBeforeMs; time <= end; time += interval_ms) {
      if (random() % 1000 == 0) {
        flush();
        counter = fresh;
      }
      for (std::uint64_t n = 10 + random() % 20; n > 0; --n) {
        const auto bucket = std::lround(place(random));
        if (bucket < 0 || bucket >= static_cast<long>(counter.buckets.size())) continue;
        ++counter.buckets[static_cast<std::size_t>(bucket)];
        counter.sum += std::exp2(static_cast<double>(bucket - 40) / 8);
      }
      times.push_back(time + static_cast<std::int64_t>(random() % 101));
      samples.push_back(counter);
      if (samples.size() == kSamplesPerChunk) flush();
    }
    flush();
  }

  SharedSeries series_;
};

// Of all bits of an answer, so that two runs can be compared.
double Digest(const RowBatch& rows) {
  std::uint64_t digest = 0;
  const auto add = [&](std::uint64_t bits) { digest = (digest ^ bits) * 0x9e3779b97f4a7c15; };
  const auto add_all = [&](const std::vector<double>& values) {
    for (const double value : values) add(std::bit_cast<std::uint64_t>(value));
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < rows.steps(); ++k) {
      add_all({rows.values(i)[k]});
      if (rows.histograms(i) == nullptr || rows.histograms(i)[k] == nullptr) continue;
      const model::FloatHistogram& h = *rows.histograms(i)[k];
      add_all({h.count, h.sum, h.zero_count, h.zero_threshold});
      add_all(h.positive_buckets);
      for (const model::Span& span : h.positive_spans) {
        add(static_cast<std::uint64_t>(span.offset));
        add(span.length);
      }
    }
  }
  return static_cast<double>(digest >> 32);
}

// `state.range(0)`: seconds between samples.
void RunQuery(benchmark::State& state, const char* query) {
  HistogramStorage storage(state.range(0) * 1000);
  const Engine engine{EngineOptions{}};
  std::size_t rows = 0;
  double digest = 0;
  for (auto _ : state) {
    const auto result =
        engine.Range(Context::Background(), storage, query, kStart,
                     kStart + static_cast<std::int64_t>(kSteps - 1) * kStepMs, kStepMs);
    AEVUM_CHECK(result.ok());
    rows = result->rows.size();
    benchmark::DoNotOptimize(rows);
    state.PauseTiming();
    digest = Digest(result->rows);
    state.ResumeTiming();
  }
  AEVUM_CHECK(rows > 0);
  state.counters["rows"] = static_cast<double>(rows);
  state.counters["digest"] = digest;
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kSeries * kSteps));
}

#define AEVUM_HISTOGRAM_BENCH(name, query)                                     \
  void BM_Histogram##name(benchmark::State& state) { RunQuery(state, query); } \
  BENCHMARK(BM_Histogram##name)->Arg(30)->Arg(15)->Unit(benchmark::kMillisecond)

AEVUM_HISTOGRAM_BENCH(Selector, "latency_seconds");
AEVUM_HISTOGRAM_BENCH(Sum, "sum(latency_seconds)");
AEVUM_HISTOGRAM_BENCH(Rate5m, "rate(latency_seconds[5m])");
AEVUM_HISTOGRAM_BENCH(SumRate5m, "sum(rate(latency_seconds[5m]))");
AEVUM_HISTOGRAM_BENCH(SumBy20Rate5m, "sum by (group) (rate(latency_seconds[5m]))");
AEVUM_HISTOGRAM_BENCH(QuantileRate5m, "histogram_quantile(0.9, rate(latency_seconds[5m]))");
AEVUM_HISTOGRAM_BENCH(QuantileSumRate5m, "histogram_quantile(0.9, sum(rate(latency_seconds[5m])))");
AEVUM_HISTOGRAM_BENCH(CountRate5m, "histogram_count(rate(latency_seconds[5m]))");
AEVUM_HISTOGRAM_BENCH(AvgOverTime5m, "avg_over_time(latency_seconds[5m])");

}  // namespace
}  // namespace aevum::promql
