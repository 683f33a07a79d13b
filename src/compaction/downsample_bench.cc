#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "chunk/histogram_encoder.h"
#include "chunk/xor.h"
#include "compaction/aggregate_downsampler.h"
#include "compaction/downsample.h"
#include "compaction/series_downsampler.h"

namespace aevum::compaction {
namespace {

constexpr int kSeries = 50;  // one series alone would train the branch predictor
constexpr TimestampMs kStepMs = 15'000;
constexpr TimestampMs kStart = 1'700'006'400'000;
constexpr int kChunkSamples = 120;

struct Series {
  std::vector<std::string> bytes;
  std::vector<tsdb::WrittenChunk> chunks;
  std::int64_t samples = 0;

  void Add(TimestampMs first, TimestampMs last, chunk::Encoding encoding, std::string data) {
    bytes.push_back(std::move(data));
    chunks.push_back({first, last, {static_cast<std::uint8_t>(encoding), bytes.back()}});
  }
};

// Two days at 15 s. Shapes: constant; counter (integers, a reset each 5,000 samples); random (0 to
// 1).
Series MakeFloats(const std::string& shape, std::uint64_t seed) {
  constexpr int kSamples = 2 * 24 * 3600 / 15;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> unit(0, 1);
  Series series;
  series.bytes.reserve(kSamples / kChunkSamples);
  double value = std::floor(unit(random) * 1000);
  chunk::XorEncoder encoder;
  for (int i = 0; i < kSamples; ++i) {
    if (shape == "counter")
      value = i % 5'000 == 4'999 ? 0 : value + static_cast<double>(random() % 100);
    if (shape == "random") value = unit(random);
    const TimestampMs time = kStart + i * kStepMs;
    encoder.Append(time, value);
    if ((i + 1) % kChunkSamples != 0) continue;
    series.Add(time - (kChunkSamples - 1) * kStepMs, time, chunk::Encoding::kXor, encoder.Bytes());
    encoder.Reset();
  }
  series.samples = kSamples;
  return series;
}

// Two days at a minute, counters with 20 buckets.
Series MakeHistograms(std::uint64_t seed) {
  constexpr int kSamples = 2 * 24 * 60;
  std::mt19937_64 random(seed);
  model::FloatHistogram histogram;
  histogram.schema = 3;
  histogram.zero_threshold = 1e-128;
  histogram.positive_spans = {{0, 12}, {3, 8}};
  histogram.positive_buckets.resize(20);
  Series series;
  series.bytes.reserve(kSamples / kChunkSamples);
  std::optional<chunk::HistogramEncoder> encoder(chunk::Encoding::kHistogram);
  for (int i = 0; i < kSamples; ++i) {
    for (double& bucket : histogram.positive_buckets) {
      const auto more = static_cast<double>(random() % 4);
      bucket += more;
      histogram.count += more;
      histogram.sum += more / 8;
    }
    const TimestampMs time = kStart + i * TimestampMs{60'000};
    encoder->Append(time, histogram).IgnoreError();  // well formed
    if ((i + 1) % kChunkSamples != 0) continue;
    series.Add(time - (kChunkSamples - 1) * TimestampMs{60'000}, time, chunk::Encoding::kHistogram,
               encoder->Bytes());
    encoder.emplace(chunk::Encoding::kHistogram);
  }
  series.samples = kSamples;
  return series;
}

template <typename Downsampler>
void Run(benchmark::State& state, const std::vector<Series>& all, Downsampler downsampler) {
  std::vector<AggregateChunk> made;
  std::int64_t samples = 0;
  std::size_t next = 0;
  for (auto _ : state) {
    made.clear();
    const Series& series = all[next];
    if (!downsampler.Downsample(series.chunks, &made).ok()) state.SkipWithError("damaged");
    benchmark::DoNotOptimize(made.data());
    samples += series.samples;
    next = (next + 1) % all.size();
  }
  state.SetItemsProcessed(samples);
}

void BM_DownsampleFloats(benchmark::State& state, const std::string& shape) {
  std::vector<Series> all;
  for (int i = 0; i < kSeries; ++i) all.push_back(MakeFloats(shape, static_cast<std::uint64_t>(i)));
  Run(state, all, SeriesDownsampler(kResolution5m));
}

void BM_DownsampleHistograms(benchmark::State& state) {
  std::vector<Series> all;
  for (int i = 0; i < kSeries; ++i) all.push_back(MakeHistograms(static_cast<std::uint64_t>(i)));
  Run(state, all, SeriesDownsampler(kResolution5m));
}

// Items are windows of 5 minutes.
void BM_DownsampleAggregates(benchmark::State& state, const std::string& shape) {
  std::vector<Series> all;
  SeriesDownsampler to_5m(kResolution5m);
  for (int i = 0; i < kSeries; ++i) {
    const Series raw = MakeFloats(shape, static_cast<std::uint64_t>(i));
    std::vector<AggregateChunk> made;
    if (!to_5m.Downsample(raw.chunks, &made).ok()) state.SkipWithError("damaged");
    Series& series = all.emplace_back();
    series.bytes.reserve(made.size());
    for (const AggregateChunk& chunk : made) {
      series.bytes.push_back(chunk.data);
      series.chunks.push_back(chunk.View());
      series.chunks.back().stored.data = series.bytes.back();
      series.samples += chunk.windows;
    }
  }
  Run(state, all, AggregateDownsampler(kResolution5m, kResolution1h));
}

BENCHMARK_CAPTURE(BM_DownsampleFloats, constant, "constant");
BENCHMARK_CAPTURE(BM_DownsampleFloats, counter, "counter");
BENCHMARK_CAPTURE(BM_DownsampleFloats, random, "random");
BENCHMARK(BM_DownsampleHistograms);
BENCHMARK_CAPTURE(BM_DownsampleAggregates, counter, "counter");

}  // namespace
}  // namespace aevum::compaction
