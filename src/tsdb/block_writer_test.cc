#include "tsdb/block_writer.h"

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "chunk/xor.h"
#include "tsdb/block_series.h"
#include "tsdb/local_block.h"
#include "tsdb/posting_groups.h"

namespace aevum::tsdb {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

using Label = SeriesEntry::Label;

std::string Chunk(TimestampMs from, int samples) {
  chunk::XorEncoder encoder;
  for (int i = 0; i < samples; ++i) encoder.Append(from + i * 1000, i);
  return encoder.Bytes();
}

class BlockWriterTest : public ::testing::Test {
 protected:
  BlockWriterTest() : directory_(*TemporaryDirectory::Create()) {}

  BlockWriter Writer(BlockWriterOptions options = {}) {
    options.index.durability = OutputFile::Durability::kUnsynced;
    auto writer = BlockWriter::Create(directory_.path(), options);
    EXPECT_TRUE(writer.ok()) << writer.status();
    return *std::move(writer);
  }
  // a, b, job, node: numbers 0 to 3.
  static void AddSymbols(BlockWriter& writer) {
    for (const char* symbol : {"a", "b", "job", "node"}) ASSERT_TRUE(writer.AddSymbol(symbol).ok());
  }
  static Status Add(BlockWriter& writer, const std::vector<Label>& labels,
                    const std::vector<std::pair<TimestampMs, int>>& chunks) {
    std::vector<std::string> data;
    for (const auto& [from, samples] : chunks) data.push_back(Chunk(from, samples));
    std::vector<WrittenChunk> written;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      written.push_back({chunks[i].first, chunks[i].first + (chunks[i].second - 1) * 1000,
                         StoredChunk{1, data[i]}});
    }
    return writer.AddSeries(labels, written);
  }

  std::vector<std::string> SeriesOfBlock(const model::Matchers& matchers) {
    std::vector<std::string> found;
    auto block = LocalBlock::Open(directory_.path());
    EXPECT_TRUE(block.ok()) << block.status();
    if (!block.ok()) return found;
    const auto groups = ResolveMatchers(context_, (*block)->tables().postings(), matchers);
    auto series = SelectSeries(context_, *groups, **block);
    EXPECT_TRUE(series.ok()) << series.status();
    BlockSeries reader(context_, (*block)->tables(), **block, *std::move(series), {});
    wire::SeriesBatch batch;
    for (auto more = reader.Next(&batch); more.ok() && *more; more = reader.Next(&batch)) {
      for (const auto& one : batch.series)
        found.push_back(fmt::format("{} {}", one.labels.ToString(), one.chunk_count));
    }
    return found;
  }

  const TemporaryDirectory directory_;
  const Context context_ = Context::Background();
};

TEST_F(BlockWriterTest, WritesWhatCanBeRead) {
  BlockWriter writer = Writer();
  AddSymbols(writer);
  ASSERT_TRUE(Add(writer, {{2, 0}}, {{0, 10}, {10'000, 5}}).ok());
  ASSERT_TRUE(Add(writer, {{2, 0}, {3, 0}}, {{-5'000, 2}}).ok());
  ASSERT_TRUE(Add(writer, {{2, 1}, {3, 0}}, {{7'000, 1}}).ok());
  const auto stats = writer.Finish(context_);
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->series, 3U);
  EXPECT_EQ(stats->chunks, 4U);
  EXPECT_EQ(stats->float_samples, 18U);
  EXPECT_EQ(stats->histogram_samples, 0U);
  EXPECT_EQ(stats->min_time, -5'000);
  EXPECT_EQ(stats->max_time, 14'000);
  EXPECT_EQ(stats->chunk_max_bytes, Chunk(0, 10).size() + 6);
  EXPECT_THAT(SeriesOfBlock({}), ElementsAre("{job=\"a\"} 2", "{job=\"a\", node=\"a\"} 1",
                                             "{job=\"b\", node=\"a\"} 1"));
  const auto matcher = model::Matcher::Create(model::MatchType::kEqual, "node", "a");
  EXPECT_THAT(SeriesOfBlock({*matcher}),
              ElementsAre("{job=\"a\", node=\"a\"} 1", "{job=\"b\", node=\"a\"} 1"));
}

TEST_F(BlockWriterTest, AnEmptyBlockHasAnIndexAndNoSegment) {
  BlockWriter writer = Writer();
  ASSERT_TRUE(writer.Finish(context_).ok());
  EXPECT_THAT(*ListDirectory(directory_.path()), ElementsAre("index"));
  EXPECT_THAT(SeriesOfBlock({}), SizeIs(0));
}

TEST_F(BlockWriterTest, LeavesNothingWithoutFinish) {
  {
    BlockWriter writer = Writer();
    AddSymbols(writer);
    ASSERT_TRUE(Add(writer, {{2, 0}}, {{0, 10}}).ok());
  }
  EXPECT_THAT(*ListDirectory(directory_.path()), ElementsAre("chunks"));
  EXPECT_THAT(*ListDirectory(directory_.File("chunks")), SizeIs(0));
}

TEST_F(BlockWriterTest, RefusesWhatIsOutOfOrder) {
  struct Case {
    const char* name;
    std::vector<Label> labels;
    std::vector<std::pair<TimestampMs, int>> chunks;
    const char* message;
  };
  const Case cases[] = {
      {"the same series", {{2, 0}, {3, 1}}, {{0, 1}}, "is not behind the one before it"},
      {"an earlier series", {{2, 0}}, {{0, 1}}, "is not behind the one before it"},
      {"labels", {{3, 0}, {2, 1}}, {{0, 1}}, "labels of a series out of order: symbol 2 behind 3"},
      {"a name twice", {{2, 1}, {2, 1}}, {{0, 1}}, "labels of a series out of order"},
      {"an unknown symbol", {{2, 4}}, {{0, 1}}, "names a symbol that is not there: 2 or 4 of 4"},
      {"overlap", {{2, 1}}, {{0, 3}, {2'000, 1}}, "a chunk begins at 2000, before"},
      {"an empty chunk", {{2, 1}}, {{0, 0}}, "a chunk ends at -1000 before its begin, 0"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    BlockWriter writer = Writer();
    AddSymbols(writer);
    ASSERT_TRUE(Add(writer, {{2, 0}, {3, 1}}, {{0, 1}}).ok());
    const Status status = Add(writer, c.labels, c.chunks);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

TEST_F(BlockWriterTest, RefusesSymbolsOutOfOrder) {
  BlockWriter writer = Writer();
  ASSERT_TRUE(writer.AddSymbol("b").ok());
  EXPECT_EQ(writer.AddSymbol("b").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(writer.AddSymbol("a").code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(Add(writer, {{0, 0}}, {{0, 1}}).ok());
  EXPECT_THAT(std::string(writer.AddSymbol("c").message()), HasSubstr("behind the first series"));
}

TEST_F(BlockWriterTest, CutsSegmentsAsPrometheus) {
  const std::uint64_t chunk = Chunk(10'000, 10).size() + kMostChunkFrameBytes;
  BlockWriter writer = Writer({.segment_bytes = kSegmentHeaderBytes + 2 * chunk, .index = {}});
  AddSymbols(writer);
  ASSERT_TRUE(Add(writer, {{2, 0}}, {{10'000, 10}, {20'000, 10}, {30'000, 10}}).ok());
  ASSERT_TRUE(Add(writer, {{2, 1}}, {{10'000, 10}}).ok());
  ASSERT_TRUE(Add(writer, {{3, 0}}, {{10'000, 100}}).ok());  // more than a segment
  ASSERT_TRUE(Add(writer, {{3, 1}}, {{10'000, 10}}).ok());
  ASSERT_TRUE(writer.Finish(context_).ok());
  EXPECT_THAT(*ListDirectory(directory_.File("chunks")),
              ElementsAre("000001", "000002", "000003", "000004"));
  EXPECT_EQ(std::filesystem::file_size(directory_.File("chunks/000001")),
            kSegmentHeaderBytes + 2 * StoredSize(Chunk(10'000, 10).size()));
  EXPECT_THAT(SeriesOfBlock({}),
              ElementsAre("{job=\"a\"} 3", "{job=\"b\"} 1", "{node=\"a\"} 1", "{node=\"b\"} 1"));
}

TEST_F(BlockWriterTest, SplitsTheValuesOfAName) {
  // 9,000 values of one name need three looks at so little memory.
  std::vector<std::string> symbols = {"name"};
  for (int i = 0; i < 9'000; ++i) symbols.push_back(fmt::format("value{:05}", i));
  const SymbolNumbers numbers(symbols);
  BlockWriterOptions options;
  options.index.postings_memory_bytes = 4'096 * 16;
  BlockWriter writer = Writer(options);
  for (const std::string& symbol : numbers.symbols()) ASSERT_TRUE(writer.AddSymbol(symbol).ok());
  const std::string data = Chunk(0, 1);
  for (std::uint32_t i = 1; i <= 9'000; ++i) {
    const Label label{0, i};
    const WrittenChunk chunk{0, 0, StoredChunk{1, data}};
    ASSERT_TRUE(writer.AddSeries(std::span(&label, 1), std::span(&chunk, 1)).ok());
  }
  ASSERT_TRUE(writer.Finish(context_).ok());
  EXPECT_THAT(SeriesOfBlock({}), SizeIs(9'000));
  for (const char* value : {"value00000", "value04095", "value04096", "value08999"}) {
    const auto matcher = model::Matcher::Create(model::MatchType::kEqual, "name", value);
    EXPECT_THAT(SeriesOfBlock({*matcher}), ElementsAre(fmt::format("{{name=\"{}\"}} 1", value)));
  }
}

TEST_F(BlockWriterTest, FindsNumbersOfSymbols) {
  const SymbolNumbers numbers({"job", "a", "job", ""});
  EXPECT_THAT(numbers.symbols(), ElementsAre("", "a", "job"));
  EXPECT_EQ(*numbers.Find("job"), 2U);
  EXPECT_EQ(numbers.Find("b").status().code(), StatusCode::kNotFound);
}

// What a program prints, with its exit status.
std::pair<std::string, int> RunCommand(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string text;
  char buffer[1 << 12];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    text.append(buffer, got);
  return {text, ::pclose(pipe)};
}

TEST_F(BlockWriterTest, PromtoolReadsIt) {
  const std::string promtool = AEVUM_SOURCE_DIR "/build/deps/prometheus/usr/bin/promtool";
  if (!std::filesystem::exists(promtool))
    GTEST_SKIP() << "no promtool; scripts/install-deps --prometheus unpacks one";
  const std::string ulid = "01HAAAAAAAAAAAAAAAAAAAAAAA";
  std::filesystem::create_directory(directory_.File("wal"));
  auto writer = BlockWriter::Create(directory_.File(ulid));
  ASSERT_TRUE(writer.ok()) << writer.status();
  AddSymbols(*writer);
  ASSERT_TRUE(Add(*writer, {{2, 0}}, {{0, 2}, {10'000, 1}}).ok());
  ASSERT_TRUE(Add(*writer, {{2, 1}, {3, 0}}, {{5'000, 1}}).ok());
  ASSERT_TRUE(writer->Finish(context_).ok());
  ASSERT_TRUE(WriteFileAtomically(
                  directory_.File(ulid + "/meta.json"),
                  fmt::format("{{\"ulid\":\"{0}\",\"minTime\":0,\"maxTime\":20000,\"version\":1,"
                              "\"compaction\":{{\"level\":1,\"sources\":[\"{0}\"]}}}}",
                              ulid))
                  .ok());
  const auto [dump, dumped] = RunCommand(promtool + " tsdb dump " + directory_.path());
  EXPECT_EQ(dumped, 0);
  EXPECT_EQ(dump,
            "{job=\"a\"} 0 0\n{job=\"a\"} 1 1000\n{job=\"a\"} 0 10000\n"
            "{job=\"b\", node=\"a\"} 0 5000\n");
  const auto [analysis, analyzed] = RunCommand(promtool + " tsdb analyze " + directory_.path());
  EXPECT_EQ(analyzed, 0);
  EXPECT_THAT(analysis, HasSubstr("Postings entries (total label pairs): 3"));
}

}  // namespace
}  // namespace aevum::tsdb
