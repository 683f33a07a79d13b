#include "compaction/block_reader.h"

#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "block/meta.h"
#include "encoding/byte_writer.h"
#include "encoding/crc32c.h"
#include "objstore/providers/filesystem.h"
#include "objstore/testing/memory_bucket.h"
#include "tsdb/local_block.h"

namespace aevum::compaction {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kBuckets = AEVUM_SHARED_DIR "/golden/buckets/";
const std::string kSmallBlock = AEVUM_SOURCE_DIR "/src/tsdb/testdata/block";

void AddChunk(const tsdb::ChunkMeta& meta, const tsdb::StoredChunk& stored, std::string* text) {
  *text += fmt::format(" {} {} {} ", meta.min_time, meta.max_time, stored.encoding);
  text->append(stored.data);
}

// All a block holds, one string a series behind one with all symbols.
StatusOr<std::vector<std::string>> ReadAll(const BlockPlace& place, std::size_t window_bytes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<BlockReader> reader,
                   BlockReader::Open(Context::Background(), place, {.window_bytes = window_bytes}));
  std::vector<std::string> symbols;
  for (std::string_view symbol;;) {
    ASSIGN_OR_RETURN(const bool more, reader->NextSymbol(&symbol));
    if (!more) break;
    symbols.emplace_back(symbol);
  }
  std::vector<std::string> all(1);
  for (const std::string& symbol : symbols) all.front() += symbol + '\n';
  for (StoredSeries series;;) {
    ASSIGN_OR_RETURN(const bool more, reader->NextSeries(&series));
    if (!more) return all;
    std::string& text = all.emplace_back(fmt::format("{}:", series.reference));
    for (const tsdb::SeriesEntry::Label& label : series.labels)
      text += symbols.at(label.name) + "=" + symbols.at(label.value) + ",";
    for (const tsdb::WrittenChunk& chunk : series.chunks)
      AddChunk({chunk.min_time, chunk.max_time, 0}, chunk.stored, &text);
  }
}

// The same by way of the postings of all series.
StatusOr<std::vector<std::string>> ReadByPostings(const std::string& directory) {
  const Context context = Context::Background();
  ASSIGN_OR_RETURN(const std::unique_ptr<tsdb::LocalBlock> block,
                   tsdb::LocalBlock::Open(directory));
  const tsdb::SymbolTable& symbols = block->tables().symbols();
  std::vector<std::string> all(1);
  for (std::uint32_t i = 0; i < symbols.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string_view symbol, symbols.Find(i));
    all.front() += std::string(symbol) + '\n';
  }
  const tsdb::PostingsKey key{"", "", *block->tables().postings().Find("", "")};
  ASSIGN_OR_RETURN(const tsdb::Pieces postings, block->ReadPostings(context, std::span(&key, 1)));
  ASSIGN_OR_RETURN(const tsdb::Postings refs, tsdb::DecodePostings(postings.bytes.front()));
  ASSIGN_OR_RETURN(const tsdb::Pieces entries, block->ReadSeries(context, refs));
  for (std::size_t i = 0; i < refs.size(); ++i) {
    tsdb::SeriesEntry entry;
    RETURN_IF_ERROR(tsdb::ParseSeriesEntryInAnyOrder(entries.bytes[i], &entry));
    std::string& text = all.emplace_back(fmt::format("{}:", refs[i]));
    for (const tsdb::SeriesEntry::Label& label : entry.labels) {
      ASSIGN_OR_RETURN(const std::string_view name, symbols.Find(label.name));
      ASSIGN_OR_RETURN(const std::string_view value, symbols.Find(label.value));
      text += fmt::format("{}={},", name, value);
    }
    for (const tsdb::ChunkMeta& meta : entry.chunks) {
      const std::uint32_t offset = meta.offset();
      ASSIGN_OR_RETURN(const tsdb::Pieces piece,
                       block->ReadChunks(context, meta.segment(), std::span(&offset, 1)));
      ASSIGN_OR_RETURN(const tsdb::StoredChunk stored, tsdb::ParseStoredChunk(piece.bytes.front()));
      AddChunk(meta, stored, &text);
    }
  }
  return all;
}

BlockPlace InDirectory(const std::string& directory) {
  return {.bucket = nullptr, .block = {}, .directory = directory};
}

TEST(BlockReaderTest, ReadsWhatPostingsName) {
  if (!fs::exists(kBuckets)) GTEST_SKIP() << "no golden blocks at " << kBuckets;
  int blocks = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kBuckets)) {
    if (entry.path().filename() != "meta.json") continue;
    const fs::path directory = entry.path().parent_path();
    SCOPED_TRACE(directory);
    const auto expected = ReadByPostings(directory);
    ASSERT_TRUE(expected.ok()) << expected.status();
    // By one window, by pieces that nearly all values cross, and out of a bucket.
    for (const std::size_t window : {std::size_t{4} << 20, std::size_t{1000}}) {
      const auto all = ReadAll(InDirectory(directory), window);
      ASSERT_TRUE(all.ok()) << all.status();
      ASSERT_TRUE(*all == *expected) << window;
    }
    const auto bucket = objstore::FilesystemBucket::Open(directory.parent_path());
    ASSERT_TRUE(bucket.ok()) << bucket.status();
    const auto all = ReadAll({.bucket = bucket->get(),
                              .block = *model::BlockDirectory(directory.string()),
                              .directory = ""},
                             100'000);
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_TRUE(*all == *expected);
    ++blocks;
  }
  EXPECT_GT(blocks, 30);
}

// A block in a bucket of its own, to be damaged.
class DamagedBlockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"index", "chunks/000001"}) {
      const auto bytes = ReadFile(kSmallBlock + "/" + name);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      Put(name, *bytes);
    }
    const auto all = ReadAll(Place(), 4 << 20);
    ASSERT_TRUE(all.ok()) << all.status();
    whole_ = *all;
    ASSERT_GT(whole_.size(), 2U);
  }

  BlockPlace Place() { return {.bucket = &bucket_, .block = {}, .directory = ""}; }
  std::string Name(std::string_view file) { return block::ObjectName({}, file); }
  void Put(std::string_view file, std::string_view bytes) {
    const auto put =
        bucket_.Upload(Context::Background(), Name(file), objstore::BytesSource(bytes), {});
    ASSERT_TRUE(put.ok()) << put.status();
  }
  std::string Get(std::string_view file) {
    return bucket_.Get(Context::Background(), Name(file)).value();
  }
  void Remove(std::string_view file) {
    const Status status = bucket_.Delete(Context::Background(), Name(file));
    ASSERT_TRUE(status.ok()) << status;
  }

  objstore::MemoryBucket bucket_;
  std::vector<std::string> whole_;
};

// Of the whole index and segment: what the reader looks at is checked, and nothing else matters.
TEST_F(DamagedBlockTest, FindsEachWrongByte) {
  for (const std::string name : {"index", "chunks/000001"}) {
    const std::string good = Get(name);
    int found = 0;
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char flip : {'\x01', '\x80', '\xff'}) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ flip);
        Put(name, bad);
        const auto all = ReadAll(Place(), 64);
        if (all.ok()) {
          EXPECT_EQ(*all, whole_) << name << " " << i;
          continue;
        }
        const StatusCode code = all.status().code();
        // An index of another version may be meant.
        EXPECT_TRUE(code == StatusCode::kDataLoss || (i == 4 && code == StatusCode::kUnimplemented))
            << all.status();
        EXPECT_THAT(std::string(all.status().message()), HasSubstr(Name(name))) << i;
        EXPECT_THAT(std::string(all.status().message()), HasSubstr("offset")) << i;
        ++found;
      }
    }
    EXPECT_GT(found, 500) << name;
    Put(name, good);
  }
}

TEST_F(DamagedBlockTest, FindsWhatIsCutOff) {
  for (const std::string name : {"index", "chunks/000001"}) {
    const std::string good = Get(name);
    for (std::size_t size = 0; size < good.size(); ++size) {
      Put(name, good.substr(0, size));
      EXPECT_EQ(ReadAll(Place(), 64).status().code(), StatusCode::kDataLoss) << name << size;
    }
    Put(name, good);
  }
  Remove("chunks/000001");
  EXPECT_EQ(ReadAll(Place(), 64).status().code(), StatusCode::kDataLoss);
  Remove("index");
  EXPECT_EQ(ReadAll(Place(), 64).status().code(), StatusCode::kNotFound);
}

// Checksums that are right keep nobody from writing nonsense.
TEST_F(DamagedBlockTest, SurvivesNonsense) {
  const std::string good = Get("index");
  const auto toc = tsdb::IndexToc::Parse(good.substr(good.size() - tsdb::kTocBytes), good.size());
  ASSERT_TRUE(toc.ok()) << toc.status();
  std::mt19937_64 random(7);
  int found = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bad = good;
    if (round % 2 == 0) {
      tsdb::IndexToc wrong = *toc;
      for (std::uint64_t* field : {&wrong.symbols, &wrong.series, &wrong.label_indices,
                                   &wrong.label_offset_table, &wrong.postings})
        if (random() % 3 == 0) *field = random() % (good.size() + 20);
      bad.replace(good.size() - tsdb::kTocBytes, tsdb::kTocBytes, wrong.Write());
    } else {
      // The entry of the first series with a byte changed and its checksum made right.
      const std::size_t at = toc->series + (16 - toc->series % 16) % 16;
      const auto size = static_cast<std::size_t>(static_cast<unsigned char>(bad[at]));
      bad[at + 1 + random() % size] = static_cast<char>(random());
      std::string crc;
      encoding::PutU32(crc, encoding::Crc32c(std::string_view(bad).substr(at + 1, size)));
      bad.replace(at + 1 + size, crc.size(), crc);
    }
    Put("index", bad);
    const auto all = ReadAll(Place(), 64);
    if (all.ok()) continue;
    EXPECT_EQ(all.status().code(), StatusCode::kDataLoss) << all.status();
    ++found;
  }
  EXPECT_GT(found, 1000);
}

void PutSection(std::string_view content, std::string* out) {
  encoding::PutU32(*out, static_cast<std::uint32_t>(content.size()));
  *out += content;
  encoding::PutU32(*out, encoding::Crc32c(content));
}

// As Prometheus 2.0 wrote it: symbols by their offset, series without space between them.
TEST(OldIndexTest, IsRead) {
  const auto directory = TemporaryDirectory::Create();
  ASSERT_TRUE(directory.ok()) << directory.status();
  const std::vector<std::string> symbols = {"", "a", "b", "value"};
  std::string index = tsdb::MakeIndexHeader(tsdb::IndexVersion::kV1);
  tsdb::IndexToc toc;
  toc.symbols = index.size();
  std::string content;
  encoding::PutU32(content, static_cast<std::uint32_t>(symbols.size()));
  std::vector<std::uint64_t> offsets;
  for (const std::string& symbol : symbols) {
    offsets.push_back(toc.symbols + 4 + content.size());
    encoding::PutUvarint(content, symbol.size());
    content += symbol;
  }
  PutSection(content, &index);
  toc.series = index.size();
  std::vector<std::uint64_t> refs;
  for (const std::uint64_t name : {offsets[1], offsets[2]}) {
    std::string body;
    for (const std::uint64_t number : {std::uint64_t{1}, name, offsets[3], std::uint64_t{0}})
      encoding::PutUvarint(body, number);
    refs.push_back(index.size());
    encoding::PutUvarint(index, body.size());
    index += body;
    encoding::PutU32(index, encoding::Crc32c(body));
  }
  toc.label_indices = index.size();
  index.append("\0\0\0", 3);
  toc.postings = toc.label_offset_table = toc.postings_offset_table = index.size();
  PutSection(std::string(4, '\0'), &index);
  index += toc.Write();
  ASSERT_TRUE(WriteFileAtomically(directory->File("index"), index).ok());

  const auto all = ReadAll(InDirectory(directory->path()), 16);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(*all, ::testing::ElementsAre("\na\nb\nvalue\n", fmt::format("{}:a=value,", refs[0]),
                                           fmt::format("{}:b=value,", refs[1])));
}

}  // namespace
}  // namespace aevum::compaction
