// Golden blocks written anew from what their series decode to: every file to the byte.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.h"
#include "chunk/aggregate_chunk.h"
#include "chunk/testing/encode.h"
#include "chunk/testing/vectors.h"
#include "tsdb/block_writer.h"
#include "tsdb/local_block.h"

namespace aevum::tsdb {
namespace {

namespace fs = std::filesystem;

const std::string kBuckets = AEVUM_SHARED_DIR "/golden/buckets/";

// The chunk as encoded again from its samples; aggregate chunks as they are.
StatusOr<std::string> EncodeAgain(const StoredChunk& stored) {
  if (stored.encoding == chunk::kAggregateEncoding) return std::string(stored.data);
  const auto encoding = static_cast<chunk::Encoding>(stored.encoding);
  chunk::Columns samples;
  samples.with_starts = true;
  RETURN_IF_ERROR(chunk::Decode(encoding, stored.data, &samples));
  return chunk::testing::Encode(encoding, chunk::testing::HintOf(encoding, stored.data), samples);
}

Status RewriteSeries(const Context& context, LocalBlock& block, const SeriesEntry& entry,
                     BlockWriter& writer) {
  std::vector<std::string> encoded;
  std::vector<std::uint8_t> encodings;
  for (const ChunkMeta& meta : entry.chunks) {
    const std::uint32_t offset = meta.offset();
    ASSIGN_OR_RETURN(const Pieces piece,
                     block.ReadChunks(context, meta.segment(), std::span(&offset, 1)));
    ASSIGN_OR_RETURN(const StoredChunk stored, ParseStoredChunk(piece.bytes.front()));
    ASSIGN_OR_RETURN(encoded.emplace_back(), EncodeAgain(stored));
    encodings.push_back(stored.encoding);
  }
  std::vector<WrittenChunk> chunks;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    chunks.push_back({entry.chunks[i].min_time, entry.chunks[i].max_time,
                      StoredChunk{encodings[i], encoded[i]}});
  }
  return writer.AddSeries(entry.labels, chunks);
}

Status Rewrite(const std::string& from, const std::string& to, const BlockWriterOptions& options) {
  const Context context = Context::Background();
  ASSIGN_OR_RETURN(const std::unique_ptr<LocalBlock> block, LocalBlock::Open(from));
  ASSIGN_OR_RETURN(BlockWriter writer, BlockWriter::Create(to, options));
  const SymbolTable& symbols = block->tables().symbols();
  for (std::uint32_t i = 0; i < symbols.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string_view symbol, symbols.Find(i));
    RETURN_IF_ERROR(writer.AddSymbol(symbol));
  }
  const PostingsKey all{"", "", *block->tables().postings().Find("", "")};
  ASSIGN_OR_RETURN(const Pieces postings, block->ReadPostings(context, std::span(&all, 1)));
  ASSIGN_OR_RETURN(const Postings series, DecodePostings(postings.bytes.front()));
  ASSIGN_OR_RETURN(const Pieces entries, block->ReadSeries(context, series));
  SeriesEntry entry;
  for (const std::string_view bytes : entries.bytes) {
    RETURN_IF_ERROR(ParseSeriesEntry(bytes, {INT64_MIN, INT64_MAX}, &entry));
    RETURN_IF_ERROR(RewriteSeries(context, *block, entry, writer));
  }
  return writer.Finish(context).status();
}

void ExpectSameFile(const std::string& a, const std::string& b) {
  SCOPED_TRACE(b);
  const auto left = ReadFile(a);
  const auto right = ReadFile(b);
  ASSERT_TRUE(left.ok()) << left.status();
  ASSERT_TRUE(right.ok()) << right.status();
  ASSERT_EQ(left->size(), right->size());
  EXPECT_EQ(std::mismatch(left->begin(), left->end(), right->begin()).first - left->begin(),
            static_cast<std::ptrdiff_t>(left->size()));
}

class GoldenRewriteTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(GoldenRewriteTest, MakesTheSameFiles) {
  if (!fs::exists(kBuckets)) GTEST_SKIP() << "no golden blocks at " << kBuckets;
  BlockWriterOptions options;
  options.index.postings_memory_bytes = GetParam();
  options.index.durability = OutputFile::Durability::kUnsynced;
  int rewritten = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kBuckets)) {
    if (entry.path().filename() != "meta.json") continue;
    const std::string block = entry.path().parent_path().string();
    SCOPED_TRACE(block);
    const auto directory = TemporaryDirectory::Create();
    ASSERT_TRUE(directory.ok()) << directory.status();
    const Status status = Rewrite(block, directory->path(), options);
    ASSERT_TRUE(status.ok()) << status;
    ExpectSameFile(directory->File("index"), block + "/index");
    const auto segments = ListDirectory(block + "/chunks");
    ASSERT_EQ(*ListDirectory(directory->File("chunks")), *segments);
    for (const std::string& segment : *segments)
      ExpectSameFile(directory->File("chunks/" + segment), block + "/chunks/" + segment);
    EXPECT_EQ(ListDirectory(directory->path())->size(), 2U);
    ++rewritten;
  }
  EXPECT_GT(rewritten, 30);
}

// Little memory: many looks at the series, and names that are split by their values.
INSTANTIATE_TEST_SUITE_P(Memory, GoldenRewriteTest, ::testing::Values(1 << 20, 20'000, 1));

}  // namespace
}  // namespace aevum::tsdb
