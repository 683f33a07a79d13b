// Reading a block in memory: postings, series entries, chunks.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "base/files.h"
#include "chunk/xor.h"
#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"
#include "tsdb/block_labels.h"
#include "tsdb/block_series.h"
#include "tsdb/block_writer.h"
#include "tsdb/local_block.h"
#include "tsdb/posting_groups.h"

namespace aevum::tsdb {
namespace {

constexpr std::uint32_t kSeries = 100'000;
constexpr int kSamples = 120;

// Series of one metric that differ in pod and, every thousand, in node; a chunk each.
class Block {
 public:
  Block() : directory_(*TemporaryDirectory::Create()) {
    std::vector<std::string> symbols = {"__name__", "job", "node", "pod", "requests_total", "web"};
    for (std::uint32_t s = 0; s < kSeries; ++s) {
      symbols.push_back(Pod(s));
      symbols.push_back(Node(s));
    }
    const SymbolNumbers numbers(std::move(symbols));
    BlockWriterOptions options;
    options.index.durability = OutputFile::Durability::kUnsynced;
    BlockWriter writer = *BlockWriter::Create(directory_.path(), options);
    for (const std::string& symbol : numbers.symbols()) AEVUM_CHECK(writer.AddSymbol(symbol).ok());
    chunk::XorEncoder encoder;
    for (int i = 0; i < kSamples; ++i) encoder.Append(i * 15'000, i * 7);
    const std::string data = encoder.Bytes();
    const WrittenChunk chunk{0, (kSamples - 1) * 15'000, StoredChunk{1, data}};
    for (std::uint32_t s = 0; s < kSeries; ++s) {
      const SeriesEntry::Label labels[] = {
          {*numbers.Find("__name__"), *numbers.Find("requests_total")},
          {*numbers.Find("job"), *numbers.Find("web")},
          {*numbers.Find("node"), *numbers.Find(Node(s))},
          {*numbers.Find("pod"), *numbers.Find(Pod(s))}};
      AEVUM_CHECK(writer.AddSeries(labels, std::span(&chunk, 1)).ok());
    }
    AEVUM_CHECK(writer.Finish(Context::Background()).ok());
    block_ = *LocalBlock::Open(directory_.path());
  }

  LocalBlock& block() { return *block_; }
  const IndexTables& tables() const { return block_->tables(); }
  Postings Select(const model::Matchers& matchers) {
    const Context context = Context::Background();
    const auto groups = ResolveMatchers(context, tables().postings(), matchers);
    return *SelectSeries(context, *groups, *block_);
  }

 private:
  static std::string Pod(std::uint32_t s) { return fmt::format("web-{:08}", s); }
  static std::string Node(std::uint32_t s) { return fmt::format("node-{:04}", s / 1000); }

  TemporaryDirectory directory_;
  std::unique_ptr<LocalBlock> block_;
};

Block& TheBlock() {
  static Block block;
  return block;
}

model::Matcher Make(model::MatchType type, const char* name, const char* value) {
  return *model::Matcher::Create(type, name, value);
}

// All series as batches for an answer; the argument: with chunks.
void BM_BlockSeries(benchmark::State& state) {
  Block& block = TheBlock();
  const Context context = Context::Background();
  const Postings all = block.Select({});
  BlockSeriesOptions options{.skip_chunks = state.range(0) == 0};
  options.external_labels = model::Labels::Of({{"cluster", "eu1"}, {"replica", "0"}});
  std::uint64_t series = 0;
  for (auto _ : state) {
    BlockSeries reader(context, block.tables(), block.block(), all, options);
    wire::SeriesBatch batch;
    for (auto more = reader.Next(&batch); *more; more = reader.Next(&batch))
      series += batch.series.size();
  }
  AEVUM_CHECK(series == state.iterations() * std::uint64_t{kSeries});
  state.SetItemsProcessed(static_cast<std::int64_t>(series));
}
BENCHMARK(BM_BlockSeries)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

// Matchers to references: a literal, a set, a prefix of 1,000 values, everything but one node.
void BM_SelectSeries(benchmark::State& state) {
  using model::MatchType;
  static const model::Matchers kMatchers[] = {
      {Make(MatchType::kEqual, "__name__", "requests_total"),
       Make(MatchType::kEqual, "pod", "web-00077777")},
      {Make(MatchType::kRegex, "node", "node-0001|node-0050|node-0099")},
      {Make(MatchType::kRegex, "pod", "web-00012.*")},
      {Make(MatchType::kEqual, "job", "web"), Make(MatchType::kNotEqual, "node", "node-0003")}};
  Block& block = TheBlock();
  const auto& matchers = kMatchers[state.range(0)];
  std::size_t found = 0;
  for (auto _ : state) found = block.Select(matchers).size();
  state.counters["series"] = static_cast<double>(found);
}
BENCHMARK(BM_SelectSeries)->DenseRange(0, 3)->Unit(benchmark::kMicrosecond);

void BM_LabelValuesWithMatcher(benchmark::State& state) {
  Block& block = TheBlock();
  const Context context = Context::Background();
  const model::Matchers matchers = {Make(model::MatchType::kRegex, "node", "node-00[0-4].")};
  const char* name = state.range(0) == 0 ? "node" : "pod";
  for (auto _ : state) {
    auto values = LabelValues(context, block.tables(), block.block(), name, matchers);
    benchmark::DoNotOptimize(values);
  }
}
BENCHMARK(BM_LabelValuesWithMatcher)->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

Postings RandomPostings(std::size_t count, SeriesRef below, unsigned seed) {
  std::mt19937 random(seed);
  Postings postings;
  for (std::size_t i = 0; i < count; ++i) postings.push_back(random() % below);
  std::sort(postings.begin(), postings.end());
  postings.erase(std::unique(postings.begin(), postings.end()), postings.end());
  return postings;
}

void BM_DecodePostings(benchmark::State& state) {
  const Postings postings = RandomPostings(100'000, 1 << 24, 1);
  std::string content;
  encoding::PutU32(content, static_cast<std::uint32_t>(postings.size()));
  for (const SeriesRef ref : postings) encoding::PutU32(content, ref);
  std::string section;
  encoding::PutU32(section, static_cast<std::uint32_t>(content.size()));
  section += content;
  encoding::PutU32(section, encoding::Crc32c(content));
  for (auto _ : state) benchmark::DoNotOptimize(DecodePostings(section));
  state.SetItemsProcessed(static_cast<std::int64_t>(postings.size()) * state.iterations());
}
BENCHMARK(BM_DecodePostings);

// 100,000 references with as many, and with the argument times as few.
void BM_IntersectPostings(benchmark::State& state) {
  const Postings a = RandomPostings(100'000, 1 << 20, 1);
  const Postings b = RandomPostings(100'000 / static_cast<std::size_t>(state.range(0)), 1 << 20, 2);
  for (auto _ : state) benchmark::DoNotOptimize(Intersect(a, b));
  state.SetItemsProcessed(static_cast<std::int64_t>(a.size() + b.size()) * state.iterations());
}
BENCHMARK(BM_IntersectPostings)->Arg(1)->Arg(100);

// As many lists as the argument, 100,000 references in all.
void BM_UnitePostings(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<Postings> lists;
  for (std::size_t i = 0; i < count; ++i)
    lists.push_back(RandomPostings(100'000 / count, 1 << 24, static_cast<unsigned>(i)));
  for (auto _ : state) benchmark::DoNotOptimize(Unite(lists));
  state.SetItemsProcessed(100'000 * state.iterations());
}
BENCHMARK(BM_UnitePostings)->Arg(10)->Arg(10'000);

}  // namespace
}  // namespace aevum::tsdb
