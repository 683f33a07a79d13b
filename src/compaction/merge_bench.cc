// Merging of blocks: bytes of chunks a second. 4 blocks one after another, which are copied, and 2
// replicas of one block by each function.
#include <filesystem>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "base/check.h"
#include "base/files.h"
#include "chunk/xor.h"
#include "compaction/merge.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {
namespace {

constexpr TimestampMs kBlockRange = 7'200'000;
constexpr TimestampMs kStep = 15'000;
constexpr std::size_t kChunks = 4;
constexpr int kSamples = 120;

// Counters that all targets have, scraped `offset` behind the full step.
MergeInput MakeBlock(const std::string& directory, std::size_t series, TimestampMs begin,
                     TimestampMs offset) {
  std::vector<std::string> strings = {"__name__", "instance", "requests_total"};
  for (std::size_t i = 0; i < series; ++i) strings.push_back(fmt::format("target-{:07}", i));
  const tsdb::SymbolNumbers symbols(strings);
  auto writer = tsdb::BlockWriter::Create(directory);
  AEVUM_CHECK(writer.ok());
  for (const std::string& symbol : symbols.symbols()) AEVUM_CHECK(writer->AddSymbol(symbol).ok());
  const auto number = [&](const std::string& text) { return *symbols.Find(text); };
  MergeInput input;
  for (std::size_t i = 0; i < series; ++i) {
    std::vector<std::string> data;
    std::vector<tsdb::WrittenChunk> chunks;
    TimestampMs time = begin + offset;
    double value = static_cast<double>(i);
    for (std::size_t c = 0; c < kChunks; ++c) {
      chunk::XorEncoder encoder;
      const TimestampMs first = time;
      for (int k = 0; k < kSamples; ++k, time += kStep)
        encoder.Append(time,
                       value += static_cast<double>((i * 7 + static_cast<std::size_t>(k)) % 13));
      data.push_back(encoder.Bytes());
      chunks.push_back({first, time - kStep, {1, {}}});
    }
    for (std::size_t c = 0; c < kChunks; ++c) chunks[c].stored.data = data[c];
    const std::vector<tsdb::SeriesEntry::Label> labels = {
        {number("__name__"), number("requests_total")},
        {number("instance"), number(fmt::format("target-{:07}", i))}};
    AEVUM_CHECK(writer->AddSeries(labels, chunks).ok());
  }
  AEVUM_CHECK(writer->Finish(Context::Background()).ok());
  input.meta.min_time = begin;
  input.meta.max_time = begin + kBlockRange;
  input.place.directory = directory;
  return input;
}

void Run(benchmark::State& state, const TemporaryDirectory& scratch,
         const std::vector<MergeInput>& inputs, MergeFunction function) {
  std::uint64_t bytes = 0;
  MergeOptions options;
  options.function = function;
  options.progress = [&](std::uint64_t chunk_bytes) { bytes = chunk_bytes; };
  for (auto _ : state) {
    const auto result = MergeBlocks(Context::Background(), inputs, options, scratch.File("out"));
    AEVUM_CHECK(result.ok());
    state.PauseTiming();
    std::filesystem::remove_all(scratch.File("out"));
    state.ResumeTiming();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void BM_Copy(benchmark::State& state) {
  const auto scratch = TemporaryDirectory::Create();
  AEVUM_CHECK(scratch.ok());
  std::vector<MergeInput> inputs;
  for (int i = 0; i < 4; ++i)
    inputs.push_back(MakeBlock(scratch->File(fmt::format("in{}", i)),
                               static_cast<std::size_t>(state.range(0)), i * kBlockRange, 0));
  Run(state, *scratch, inputs, MergeFunction::kOneToOne);
}
BENCHMARK(BM_Copy)->Arg(50'000)->Unit(benchmark::kMillisecond);

void BM_Replicas(benchmark::State& state, MergeFunction function) {
  const auto scratch = TemporaryDirectory::Create();
  AEVUM_CHECK(scratch.ok());
  std::vector<MergeInput> inputs;
  for (int i = 0; i < 2; ++i)
    inputs.push_back(MakeBlock(scratch->File(fmt::format("in{}", i)),
                               static_cast<std::size_t>(state.range(0)), 0, i * 6'000));
  Run(state, *scratch, inputs, function);
}
BENCHMARK_CAPTURE(BM_Replicas, one_to_one, MergeFunction::kOneToOne)
    ->Arg(20'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Replicas, penalty, MergeFunction::kPenalty)
    ->Arg(20'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Replicas, adaptive, MergeFunction::kAdaptive)
    ->Arg(20'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace aevum::compaction
