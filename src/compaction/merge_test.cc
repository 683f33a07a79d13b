#include "compaction/merge.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "chunk/aggregate_chunk.h"
#include "chunk/testing/vectors.h"
#include "chunk/xor.h"
#include "compaction/aggregate_overlap.h"
#include "compaction/penalty_fold.h"
#include "compaction/raw_overlap.h"
#include "compaction/series_chunk.h"
#include "compaction/testing/read_block.h"
#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"
#include "store/dedup/penalty.h"
#include "tsdb/index_toc.h"

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
  Content content;
  RETURN_IF_ERROR(testing::ReadBlock(
      directory, [&](const model::Labels& labels, const std::vector<tsdb::WrittenChunk>& chunks) {
        std::string text;
        for (const auto& label : labels)
          text += std::string(label.name) + "=" + std::string(label.value) + ",";
        for (const tsdb::WrittenChunk& chunk : chunks) {
          content[text].push_back({chunk.min_time, chunk.max_time, chunk.stored.encoding,
                                   std::string(chunk.stored.data)});
        }
        return OkStatus();
      }));
  return content;
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
  // What is known of a reset depends on where chunks begin.
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
      if (c.function == MergeFunction::kOneToOne && golden->labels.at("cluster") != "us1") {
        EXPECT_EQ(meta.stats, golden->stats);
        EXPECT_EQ(meta.compaction.level, golden->compaction.level);
        EXPECT_EQ(meta.series_max_size, golden->series_max_size);
        // Thanos does not look at the last chunk of a series.
        EXPECT_GE(meta.chunk_max_size, golden->chunk_max_size);
      }
      const Difference difference = Compare(*ours, *theirs);
      if (golden->labels.at("cluster") != "us1") {
        EXPECT_EQ(difference.other_chunks, 0U) << difference.first;
        continue;
      }
      // Here one block has samples between those of another of its replica, and at their times with
      // other values: which of these stays depends there on the layout of chunks, and by penalty
      // some are lost.
      EXPECT_LE(difference.other_samples, 2U) << difference.first;
      if (c.function != MergeFunction::kPenalty) {
        EXPECT_EQ(meta.stats.samples, golden->stats.samples);
        continue;
      }
      const auto joined =
          MergeBlocks(Context::Background(), MergeByTime(*golden, MergeFunction::kOneToOne), {},
                      directory_->path());
      ASSERT_TRUE(joined.ok()) << joined.status();
      EXPECT_EQ(meta.stats.samples, joined->blocks.front().meta.stats.samples);
    }
  }
}

// The two raw blocks of eu1 that begin a golden day, one a replica.
class MergeBlocksTest : public GoldenMergeTest {
 protected:
  std::vector<MergeInput> Pair() {
    std::vector<MergeInput> inputs;
    for (const std::string ulid : {"01M88B69WXN81SSNAFHBKW2P03", "01M88B6CKT7MQCMBJ7K3XN77HX"})
      inputs.push_back(FromDirectory(kBuckets + "raw/" + ulid));
    return inputs;
  }
  Content Merged(std::vector<MergeInput> inputs, const MergeOptions& options) {
    const auto result =
        MergeBlocks(Context::Background(), std::move(inputs), options, directory_->path());
    EXPECT_TRUE(result.ok()) << result.status();
    Content all;
    if (!result.ok()) return all;
    for (const MergedBlock& block : result->blocks) {
      auto content = ReadContent(block.directory);
      EXPECT_TRUE(content.ok()) << content.status();
      all.merge(*content);
      EXPECT_TRUE(content->empty()) << "a series in two blocks";
    }
    last_ = *result;
    return all;
  }
  MergeResult last_;
};

TEST_F(MergeBlocksTest, SplitsWhatIsTooLarge) {
  const Content whole = Merged(Pair(), {});
  ASSERT_EQ(last_.blocks.size(), 1U);
  EXPECT_EQ(Merged(Pair(), {.max_index_bytes = 15'000}), whole);
  ASSERT_GT(last_.blocks.size(), 1U);
  for (const MergedBlock& block : last_.blocks) {
    EXPECT_LE(fs::file_size(block.directory + "/index"), 15'000U);
    EXPECT_EQ(block.meta.compaction.sources, std::vector{block.meta.ulid});
  }
}

TEST_F(MergeBlocksTest, LeavesOutWhatIsDeleted) {
  const Content whole = Merged(Pair(), {});
  const TimestampMs from = last_.blocks.front().meta.min_time + 1'000'000;
  const TimestampMs to = from + 2'000'000;
  const Content less = Merged(Pair(), {.deletions = {{{model::Matcher::Equal("job", "node"),
                                                       model::Matcher::Equal("cluster", "eu1")},
                                                      from,
                                                      to},
                                                     {{model::Matcher::Equal("__name__", "up")}}}});
  std::size_t gone = 0;
  for (const auto& [labels, chunks] : whole) {
    SCOPED_TRACE(labels);
    const auto found = less.find(labels);
    if (labels.find("__name__=up,") != std::string::npos) {
      EXPECT_EQ(found, less.end());
      continue;
    }
    ASSERT_NE(found, less.end());
    if (labels.find("job=node,") == std::string::npos) {
      EXPECT_EQ(found->second, chunks);
      continue;
    }
    const std::vector<TimestampMs> before = TimesOf(chunks);
    std::vector<TimestampMs> expected;
    std::copy_if(before.begin(), before.end(), std::back_inserter(expected),
                 [&](TimestampMs t) { return t < from || t > to; });
    EXPECT_EQ(TimesOf(found->second), expected);
    gone += before.size() - expected.size();
  }
  EXPECT_GT(gone, 100U);
}

TEST_F(MergeBlocksTest, MakesNoBlockOfNothing) {
  EXPECT_TRUE(Merged(Pair(), {.deletions = {{{model::Matcher::Equal("cluster", "eu1")}}}}).empty());
  EXPECT_TRUE(last_.blocks.empty());
  EXPECT_TRUE(ListDirectory(directory_->path())->empty());
}

TEST_F(MergeBlocksTest, KeepsStartTimestamps) {
  for (const std::string ulid : {"01M88B6HVWASQC4QJ6XQZG76SR", "01M88B6MCMDBDJTXBZYVFG3QHT"}) {
    const MergeInput input = FromDirectory(kBuckets + "xor2/" + ulid);
    const auto source = ReadContent(input.place.directory);
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_EQ(Merged({input}, {}), *source);
    // Every chunk anew: of each the first sample goes.
    const TimestampMs middle = input.meta.min_time / 2 + input.meta.max_time / 2;
    const Content cut = Merged({input}, {.deletions = {{{}, middle, middle + 600'000}}});
    std::size_t starts = 0;
    for (const auto& [labels, chunks] : *source) {
      SCOPED_TRACE(labels);
      const auto found = cut.find(labels);
      if (found == cut.end()) continue;
      const chunk::Columns all = Samples(chunks);
      const chunk::Columns left = Samples(found->second);
      for (std::size_t i = 0, k = 0; i < all.times.size() && k < left.times.size(); ++i) {
        if (all.times[i] >= middle && all.times[i] <= middle + 600'000) continue;
        ASSERT_EQ(all.times[i], left.times[k]);
        EXPECT_EQ(all.starts[i], left.starts[k]);
        starts += left.starts[k] != 0 ? 1 : 0;
        ++k;
      }
    }
    EXPECT_TRUE(!ulid.ends_with("QHT") || starts > 0);
  }
}

TEST_F(MergeBlocksTest, FollowsOneReplicaByAdaptive) {
  const Content all = Merged(Pair(), {});
  const Content one = Merged(Pair(), {.function = MergeFunction::kAdaptive});
  ASSERT_EQ(one.size(), all.size());
  std::size_t samples = 0;
  std::size_t most = 0;
  for (const auto& [labels, chunks] : one) {
    const std::vector<TimestampMs> times = TimesOf(chunks);
    const std::vector<TimestampMs> both = TimesOf(all.at(labels));
    EXPECT_TRUE(std::includes(both.begin(), both.end(), times.begin(), times.end())) << labels;
    samples += times.size();
    most += both.size();
  }
  EXPECT_GT(samples * 2, most - most / 20);
  EXPECT_LT(samples, most * 6 / 10);
}

TEST_F(MergeBlocksTest, NamesTheDamagedBlock) {
  const auto copy = TemporaryDirectory::Create();
  ASSERT_TRUE(copy.ok()) << copy.status();
  std::vector<MergeInput> inputs = Pair();
  const Content whole = Merged(inputs, {});
  fs::remove_all(last_.blocks.front().directory);
  int found = 0;
  fs::copy(inputs[1].place.directory, copy->path(), fs::copy_options::recursive);
  inputs[1].place.directory = copy->path();
  for (const std::string file : {"index", "chunks/000001"}) {
    const std::string good = *ReadFile(copy->File(file));
    for (int i = 1; i < 12; ++i) {
      std::string bad = good;
      const std::size_t at = i * bad.size() / 13 / (file == "index" ? 3 : 1);
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      ASSERT_TRUE(WriteFileAtomically(copy->File(file), bad).ok());
      const auto result = MergeBlocks(Context::Background(), inputs, {}, directory_->path());
      if (result.ok()) {
        // A byte between two entries, which means nothing.
        EXPECT_EQ(*ReadContent(result->blocks.front().directory), whole) << file << " " << at;
        fs::remove_all(result->blocks.front().directory);
        continue;
      }
      EXPECT_EQ(DamagedBlock(result.status()), inputs[1].meta.ulid) << result.status();
      EXPECT_THAT(std::string(result.status().message()), HasSubstr(file));
      EXPECT_TRUE(ListDirectory(directory_->path())->empty());
      ++found;
    }
    ASSERT_TRUE(WriteFileAtomically(copy->File(file), good).ok());
  }
  EXPECT_GT(found, 18);
}

// Blocks of old compactors: a chunk twice, and chunks in another order than that of time.
TEST(RepairTest, PutsChunksInOrder) {
  const auto directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok()) << directory.status();
  const auto chunk = [](TimestampMs first) {
    chunk::XorEncoder encoder;
    for (TimestampMs t = first; t < first + 10; ++t) encoder.Append(t, static_cast<double>(t));
    return encoder.Bytes();
  };
  const std::vector<std::string> data = {chunk(0), chunk(10), chunk(20)};
  auto writer = tsdb::BlockWriter::Create(directory->path());
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (const std::string symbol : {"a", "b"}) ASSERT_TRUE(writer->AddSymbol(symbol).ok());
  const std::vector<tsdb::SeriesEntry::Label> labels = {{0, 1}};
  const std::vector<tsdb::WrittenChunk> chunks = {
      {0, 9, {1, data[0]}}, {10, 19, {1, data[1]}}, {20, 29, {1, data[2]}}};
  ASSERT_TRUE(writer->AddSeries(labels, chunks).ok());
  ASSERT_TRUE(writer->Finish(Context::Background()).ok());
  // The entry anew: the chunks 0, 2, 1, 1, without space for more than it had.
  std::string index = *ReadFile(directory->File("index"));
  const auto toc =
      tsdb::IndexToc::Parse(index.substr(index.size() - tsdb::kTocBytes), index.size());
  ASSERT_TRUE(toc.ok()) << toc.status();
  tsdb::SeriesEntry entry;
  const std::size_t at = (toc->series + 15) / 16 * 16;
  ASSERT_TRUE(tsdb::ParseSeriesEntryInAnyOrder(index.substr(at), &entry).ok());
  const std::vector<tsdb::ChunkMeta> order = {entry.chunks[0], entry.chunks[2], entry.chunks[1],
                                              entry.chunks[1]};
  std::string body;
  for (const std::uint64_t number : {1, 0, 1, 4}) encoding::PutUvarint(body, number);
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0) {
      encoding::PutVarint(body, order[0].min_time);
    } else {
      encoding::PutUvarint(body,
                           static_cast<std::uint64_t>(order[i].min_time - order[i - 1].max_time));
    }
    encoding::PutUvarint(body, static_cast<std::uint64_t>(order[i].max_time - order[i].min_time));
    if (i == 0) {
      encoding::PutUvarint(body, order[0].ref);
    } else {
      encoding::PutVarint(body, static_cast<std::int64_t>(order[i].ref - order[i - 1].ref));
    }
  }
  std::string bytes;
  encoding::PutUvarint(bytes, body.size());
  bytes += body;
  encoding::PutU32(bytes, encoding::Crc32c(body));
  const std::size_t shift = (bytes.size() + 15) / 16 * 16;
  tsdb::IndexToc moved = *toc;
  bytes.resize(shift);
  index = index.substr(0, at) + bytes;
  moved.label_indices = moved.label_offset_table = moved.postings = moved.postings_offset_table =
      index.size();
  index += std::string(8, '\0') + moved.Write();
  ASSERT_TRUE(WriteFileAtomically(directory->File("index"), index).ok());

  const auto out = TemporaryDirectory::Create();
  MergeInput input;
  input.meta.max_time = 30;
  input.meta.stats.series = 1;
  input.place.directory = directory->path();
  const auto result = MergeBlocks(Context::Background(), {input}, {}, out->path());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->repairs.duplicate_chunks, 1U);
  EXPECT_EQ(result->repairs.out_of_order_chunks, 1U);
  ASSERT_EQ(result->blocks.size(), 1U);
  const auto content = ReadContent(result->blocks.front().directory);
  ASSERT_TRUE(content.ok()) << content.status();
  const std::vector<Chunk> expected = {
      {0, 9, 1, data[0]}, {10, 19, 1, data[1]}, {20, 29, 1, data[2]}};
  EXPECT_EQ(content->at("a=b,"), expected);
}

// As the rule applied to all rows from the left, however long what came before.
TEST(PenaltyFoldTest, IsTheFoldOfAllRows) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 3000; ++round) {
    SCOPED_TRACE(round);
    std::vector<chunk::Columns> rows(2 + random() % 8);
    TimestampMs begin = 0;
    for (chunk::Columns& row : rows) {
      TimestampMs time = begin + static_cast<TimestampMs>(random() % 60'000);
      begin = time;
      for (std::size_t i = 1 + random() % 30; i > 0; --i) {
        row.times.push_back(time);
        row.values.push_back(static_cast<double>(random() % 100));
        time += random() % 12 == 0 ? 200'000 : 1 + static_cast<TimestampMs>(random() % 15'000);
      }
    }
    std::vector<store::dedup::Row> borrowed;
    for (const chunk::Columns& row : rows) borrowed.push_back({.columns = &row});
    chunk::Columns expected;
    store::dedup::MergePenalty(borrowed, store::dedup::Adjust::kNone,
                               store::dedup::ResetHints::kForgetAtSeams, &expected);
    PenaltyFold fold(rows.front());
    for (std::size_t i = 1; i < rows.size(); ++i) fold.Add(rows[i]);
    const chunk::Columns merged = std::move(fold).Take();
    ASSERT_EQ(merged.times, expected.times);
    ASSERT_EQ(merged.values, expected.values);
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
    EXPECT_EQ(chunk::testing::ToText(Samples(ours)), chunk::testing::ToText(Samples(theirs)));
  }
  // In the others a histogram's chunk says less of the reset before it.
  EXPECT_GE(equal, 242U);
}

}  // namespace
}  // namespace aevum::compaction
