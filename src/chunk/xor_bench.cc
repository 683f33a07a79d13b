#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "chunk/xor.h"

namespace aevum::chunk {
namespace {

constexpr int kSamples = 120;
constexpr int kChunks = 2'000;  // one chunk alone would train the branch predictor

struct Samples {
  std::vector<TimestampMs> times;
  std::vector<double> values;
};

// Shapes: constant; jitter (15 s +- 50 ms, constant value); steps (random integers); random (0 to
// 1).
std::vector<Samples> MakeSamples(const std::string& shape) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> unit(0, 1);
  std::vector<Samples> all(kChunks);
  for (Samples& samples : all) {
    TimestampMs time = 1'700'000'000'000 + static_cast<TimestampMs>(random() % 15'000);
    double value = std::floor(unit(random) * 1000);
    for (int i = 0; i < kSamples; ++i) {
      time += 15'000;
      if (shape == "steps") value += static_cast<double>(random() % 100);
      if (shape == "random") value = unit(random);
      const TimestampMs jitter =
          shape == "jitter" ? static_cast<TimestampMs>(random() % 101) - 50 : 0;
      samples.times.push_back(time + jitter);
      samples.values.push_back(value);
    }
  }
  return all;
}

std::string EncodeAll(const Samples& samples) {
  XorEncoder encoder;
  encoder.Append(samples.times, samples.values);
  return encoder.Bytes();
}

void Report(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * kSamples);
  state.counters["ns/sample"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kSamples * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_XorDecode(benchmark::State& state, const std::string& shape) {
  std::vector<std::string> chunks;
  for (const Samples& samples : MakeSamples(shape)) chunks.push_back(EncodeAll(samples));
  Columns columns;
  std::size_t i = 0;
  for (auto _ : state) {
    columns.Clear();
    if (!DecodeXor(chunks[i], &columns).ok()) state.SkipWithError("damaged");
    benchmark::DoNotOptimize(columns.values.data());
    i = (i + 1) % chunks.size();
  }
  Report(state);
}

void BM_XorEncode(benchmark::State& state, const std::string& shape) {
  const std::vector<Samples> all = MakeSamples(shape);
  XorEncoder encoder;
  std::size_t next = 0;
  for (auto _ : state) {
    const Samples& samples = all[next];
    encoder.Reset();
    encoder.Append(samples.times, samples.values);
    benchmark::DoNotOptimize(encoder.samples());
    next = (next + 1) % all.size();
  }
  Report(state);
}

BENCHMARK_CAPTURE(BM_XorDecode, constant, "constant");
BENCHMARK_CAPTURE(BM_XorDecode, jitter, "jitter");
BENCHMARK_CAPTURE(BM_XorDecode, steps, "steps");
BENCHMARK_CAPTURE(BM_XorDecode, random, "random");
BENCHMARK_CAPTURE(BM_XorEncode, constant, "constant");
BENCHMARK_CAPTURE(BM_XorEncode, jitter, "jitter");
BENCHMARK_CAPTURE(BM_XorEncode, steps, "steps");
BENCHMARK_CAPTURE(BM_XorEncode, random, "random");

}  // namespace
}  // namespace aevum::chunk
