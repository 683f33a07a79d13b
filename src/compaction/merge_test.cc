#include "compaction/merge.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "chunk/aggregate_chunk.h"
#include "chunk/testing/vectors.h"
#include "compaction/aggregate_overlap.h"
#include "compaction/raw_overlap.h"
#include "compaction/series_chunk.h"

namespace aevum::compaction {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kBuckets = AEVUM_SHARED_DIR "/golden/buckets/";

struct Chunk {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  std::uint8_t encoding = 0;
  std::string data;
  friend bool operator==(const Chunk&, const Chunk&) = default;
};
// By labels.
using Content = std::map<std::string, std::vector<Chunk>>;

StatusOr<Content> ReadContent(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::unique_ptr<BlockReader> reader,
                   BlockReader::Open(Context::Background(),
                                     {.bucket = nullptr, .block = {}, .directory = directory}));
  std::vector<std::string> symbols;
  for (std::string_view symbol;;) {
    ASSIGN_OR_RETURN(const bool more, reader->NextSymbol(&symbol));
    if (!more) break;
    symbols.emplace_back(symbol);
  }
  Content content;
  for (StoredSeries series;;) {
    ASSIGN_OR_RETURN(const bool more, reader->NextSeries(&series));
    if (!more) return content;
    std::string labels;
    for (const auto& label : series.labels)
      labels += symbols.at(label.name) + "=" + symbols.at(label.value) + ",";
    for (const tsdb::WrittenChunk& chunk : series.chunks)
      content[labels].push_back(
          {chunk.min_time, chunk.max_time, chunk.stored.encoding, std::string(chunk.stored.data)});
  }
}

chunk::Columns Samples(const std::vector<Chunk>& chunks) {
  chunk::Columns columns;
  columns.with_starts = true;
  for (const Chunk& chunk : chunks) {
    const Status status =
        chunk::Decode(static_cast<chunk::Encoding>(chunk.encoding), chunk.data, &columns);
    EXPECT_TRUE(status.ok()) << status;
  }
  columns.FitStarts();
  // Layouts differ by empty buckets, and hints by where chunks begin.
  for (model::FloatHistogram& h : columns.histograms)
    if (h.reset_hint != model::ResetHint::kGauge) h.reset_hint = model::ResetHint::kUnknown;
  return columns;
}

Chunk ChunkOf(const nlohmann::json& json) {
  return {json["mint"].get<TimestampMs>(), json["maxt"].get<TimestampMs>(),
          json["enc"].get<std::uint8_t>(), chunk::testing::FromHex(json["hex"].get<std::string>())};
}

std::vector<TimestampMs> TimesOf(const std::vector<Chunk>& chunks) {
  const chunk::Columns columns = Samples(chunks);
  std::vector<TimestampMs> times = columns.times;
  times.insert(times.end(), columns.histogram_times.begin(), columns.histogram_times.end());
  return times;
}

// As MergeBlocks does it for one series.
std::vector<Chunk> MergeChunks(std::vector<SeriesChunk> chunks, MergeFunction function,
                               RawOverlapMerger& merger) {
  std::stable_sort(chunks.begin(), chunks.end(), [](const auto& a, const auto& b) {
    return std::pair(a.chunk.min_time, a.chunk.max_time) <
           std::pair(b.chunk.min_time, b.chunk.max_time);
  });
  const auto equal = [](const SeriesChunk& a, const SeriesChunk& b) {
    return a.chunk.min_time == b.chunk.min_time && a.chunk.max_time == b.chunk.max_time &&
           a.chunk.stored.data == b.chunk.stored.data;
  };
  chunks.erase(std::unique(chunks.begin(), chunks.end(), equal), chunks.end());
  std::vector<Chunk> out;
  for (std::size_t first = 0; first < chunks.size();) {
    std::size_t end = first + 1;
    TimestampMs max_time = chunks[first].chunk.max_time;
    for (; end < chunks.size() && chunks[end].chunk.min_time <= max_time; ++end)
      max_time = std::max(max_time, chunks[end].chunk.max_time);
    const tsdb::WrittenChunk& chunk = chunks[first].chunk;
    std::vector<EncodedChunk> encoded;
    if (end == first + 1) {
      encoded.push_back(
          {chunk.min_time, chunk.max_time, chunk.stored.encoding, std::string(chunk.stored.data)});
    } else {
      const auto cluster = std::span(chunks).subspan(first, end - first);
      const Status status = chunks[first].IsAggregate()
                                ? MergeAggregateChunks(cluster, function, 300'000, &encoded)
                                : merger.Merge(cluster, {.function = function}, &encoded);
      EXPECT_TRUE(status.ok()) << status;
    }
    for (EncodedChunk& e : encoded)
      out.push_back({e.min_time, e.max_time, e.encoding, std::move(e.data)});
    first = end;
  }
  return out;
}

class GoldenMergeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kBuckets)) GTEST_SKIP() << "no golden blocks at " << kBuckets;
    auto made = TemporaryDirectory::Create();
    ASSERT_TRUE(made.ok()) << made.status();
    directory_.emplace(*std::move(made));
  }

  static MergeInput FromDirectory(const std::string& directory) {
    MergeInput input;
    auto meta = block::ReadMetaFile(directory);
    EXPECT_TRUE(meta.ok()) << meta.status();
    input.meta = *std::move(meta);
    input.replica = input.meta.labels["replica"];
    input.place = {.bucket = nullptr, .block = input.meta.ulid, .directory = directory};
    return input;
  }

  // The raw blocks that a golden one was made of, first those of equal time.
  std::vector<MergeInput> MergeByTime(const block::Meta& golden, MergeFunction function) {
    std::map<TimestampMs, std::vector<MergeInput>> by_end;
    for (const model::Ulid& source : golden.compaction.sources) {
      MergeInput input = FromDirectory(kBuckets + "raw/" + source.ToString());
      by_end[input.meta.max_time].push_back(std::move(input));
    }
    std::vector<MergeInput> merged;
    for (auto& [end, inputs] : by_end) {
      if (inputs.size() == 1 || by_end.size() == 1) {
        for (MergeInput& input : inputs) merged.push_back(std::move(input));
        continue;
      }
      const auto result =
          MergeBlocks(Context::Background(), inputs, {.function = function}, directory_->path());
      EXPECT_TRUE(result.ok()) << result.status();
      MergeInput input{
          result->blocks.front().meta, {nullptr, {}, result->blocks.front().directory}, ""};
      merged.push_back(std::move(input));
    }
    return merged;
  }

  std::optional<TemporaryDirectory> directory_;
};

struct Difference {
  std::size_t series = 0;
  std::size_t other_chunks = 0;
  std::size_t other_samples = 0;
  std::string first;
};

Difference Compare(const Content& ours, const Content& golden) {
  Difference difference;
  EXPECT_EQ(ours.size(), golden.size());
  for (const auto& [labels, chunks] : golden) {
    ++difference.series;
    const auto found = ours.find(labels);
    if (found == ours.end()) {
      ADD_FAILURE() << "lacks " << labels;
      continue;
    }
    if (found->second == chunks) continue;
    ++difference.other_chunks;
    const std::string a = chunk::testing::ToText(Samples(found->second));
    const std::string b = chunk::testing::ToText(Samples(chunks));
    if (a == b) continue;
    ++difference.other_samples;
    if (difference.first.empty()) difference.first = labels + "\n" + a + "\n---\n" + b;
  }
  return difference;
}

TEST_F(GoldenMergeTest, MakesTheBlocksOfThanos) {
  struct Case {
    std::string bucket;
    MergeFunction function;
  };
  for (const Case& c : {Case{"compacted", MergeFunction::kOneToOne},
                        Case{"deduped-one-to-one", MergeFunction::kOneToOne},
                        Case{"deduped-penalty", MergeFunction::kPenalty}}) {
    for (const auto& entry : fs::directory_iterator(kBuckets + c.bucket)) {
      const auto golden = block::ReadMetaFile(entry.path());
      ASSERT_TRUE(golden.ok()) << golden.status();
      if (golden->compaction.level == 1) continue;
      SCOPED_TRACE(entry.path());
      std::vector<MergeInput> inputs = MergeByTime(*golden, c.function);
      const auto result = MergeBlocks(Context::Background(), std::move(inputs),
                                      {.function = c.function}, directory_->path());
      ASSERT_TRUE(result.ok()) << result.status();
      ASSERT_EQ(result->blocks.size(), 1U);
      const block::Meta& meta = result->blocks.front().meta;
      const auto ours = ReadContent(result->blocks.front().directory);
      const auto theirs = ReadContent(entry.path());
      ASSERT_TRUE(ours.ok()) << ours.status();
      ASSERT_TRUE(theirs.ok()) << theirs.status();
      EXPECT_EQ(meta.min_time, golden->min_time);
      EXPECT_EQ(meta.max_time, golden->max_time);
      EXPECT_EQ(meta.compaction.sources, golden->compaction.sources);
      EXPECT_EQ(meta.stats.series, golden->stats.series);
      EXPECT_EQ(result->repairs.any(), 0U);
      const Difference difference = Compare(*ours, *theirs);
      std::printf("%s %s: %zu series, other chunks %zu, other samples %zu\n", c.bucket.c_str(),
                  golden->ulid.ToString().c_str(), difference.series, difference.other_chunks,
                  difference.other_samples);
      if (difference.other_samples) std::printf("%.0s\n", difference.first.c_str());
    }
  }
}

// What Thanos's compactor makes of the chunks of replicas.
TEST(MergeVectorsTest, AreTheSame) {
  const auto lines = chunk::testing::ReadVectors("dedup/compaction.jsonl.gz");
  if (lines.empty()) GTEST_SKIP() << "no vectors";
  RawOverlapMerger merger;
  std::size_t equal = 0;
  for (const nlohmann::json& line : lines) {
    SCOPED_TRACE(fmt::format("{} {}", line["id"].get<int>(), line["algorithm"].get<std::string>()));
    std::vector<Chunk> held;
    std::vector<std::uint32_t> replicas;
    for (std::size_t r = 0; r < line["inputs"].size(); ++r) {
      for (const nlohmann::json& chunk : line["inputs"][r]) {
        held.push_back(ChunkOf(chunk));
        replicas.push_back(static_cast<std::uint32_t>(r));
      }
    }
    std::vector<SeriesChunk> chunks;
    for (std::size_t i = 0; i < held.size(); ++i) {
      chunks.push_back({{held[i].min_time, held[i].max_time, {held[i].encoding, held[i].data}},
                        replicas[i],
                        0,
                        {}});
    }
    const auto function =
        line["algorithm"] == "penalty" ? MergeFunction::kPenalty : MergeFunction::kOneToOne;
    const std::vector<Chunk> ours = MergeChunks(std::move(chunks), function, merger);
    std::vector<Chunk> theirs;
    for (const nlohmann::json& chunk : line["output"]) theirs.push_back(ChunkOf(chunk));
    if (ours == theirs) {
      ++equal;
      continue;
    }
    if (line["aggregate"]) {
      ADD_FAILURE() << "aggregates differ";
      continue;
    }
    EXPECT_EQ(TimesOf(ours), TimesOf(theirs));
  }
  std::printf("%zu of %zu\n", equal, lines.size());
}

}  // namespace
}  // namespace aevum::compaction
