#include "block/index_header.h"

#include <prometheus/registry.h>

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::block {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kBuckets = AEVUM_SHARED_DIR "/golden/buckets/";

struct GoldenBlock {
  std::string directory;
  std::string header;  // the bytes of its index-header
};

std::vector<GoldenBlock> GoldenBlocks() {
  std::vector<GoldenBlock> blocks;
  if (!fs::exists(kBuckets)) return blocks;
  for (const auto& entry : fs::recursive_directory_iterator(kBuckets + "index-header")) {
    if (entry.path().filename() != kIndexHeaderFile) continue;
    const fs::path block = entry.path().parent_path();
    blocks.push_back(
        {kBuckets + block.parent_path().filename().string() + "/" + block.filename().string(),
         *ReadFile(entry.path().string())});
  }
  return blocks;
}

// One block in a bucket in memory, and a directory for its header.
class IndexHeaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    blocks_ = GoldenBlocks();
    if (blocks_.empty()) GTEST_SKIP() << "no golden blocks at " << kBuckets;
    Use(blocks_[0]);
  }

  void Use(const GoldenBlock& block) {
    meta_ = *ReadMetaFile(block.directory);
    index_ = *ReadFile(block.directory + "/index");
    PutIndex(index_);
  }
  void PutIndex(std::string_view bytes) {
    ASSERT_TRUE(
        bucket_
            .Upload(context_, ObjectName(meta_.ulid, kIndexFile), objstore::BytesSource(bytes), {})
            .ok());
  }
  std::string Path() { return headers_.PathOf(meta_.ulid); }

  const Context context_ = Context::Background();
  std::vector<GoldenBlock> blocks_;
  objstore::MemoryBucket bucket_;
  prometheus::Registry registry_;
  TemporaryDirectory directory_ = *TemporaryDirectory::Create();
  IndexHeaders headers_{directory_.path(), bucket_, Logger(), registry_};
  Meta meta_;
  std::string index_;
};

TEST_F(IndexHeaderTest, IsByteForByteThatOfTheReference) {
  EXPECT_GE(blocks_.size(), 13U);
  for (const GoldenBlock& block : blocks_) {
    SCOPED_TRACE(block.directory);
    Use(block);
    const auto header = headers_.Load(context_, meta_);
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(*ReadFile(Path()), block.header);
    EXPECT_EQ((*header)->index_bytes(), index_.size());
    // The tables are those of the index itself.
    const auto whole = tsdb::IndexTables::OpenIndex(SharedBytes::Own(index_));
    ASSERT_TRUE(whole.ok()) << whole.status();
    const tsdb::IndexTables& tables = (*header)->tables();
    ASSERT_EQ(tables.symbols().size(), whole->symbols().size());
    ASSERT_EQ(tables.postings().Names(), whole->postings().Names());
    for (const std::string_view name : whole->postings().Names()) {
      whole->postings().ForEachValue(name, "",
                                     [&](std::string_view value, const tsdb::PostingsRange& range) {
                                       EXPECT_EQ(tables.postings().Find(name, value), range);
                                       return true;
                                     });
    }
  }
}

TEST_F(IndexHeaderTest, AFileThatIsThereIsUsedWithoutTheBucket) {
  ASSERT_TRUE(headers_.Load(context_, meta_).ok());
  bucket_.Forbid(ObjectName(meta_.ulid, kIndexFile));
  EXPECT_TRUE(headers_.Load(context_, meta_).ok());
  ASSERT_TRUE(headers_.Remove(meta_.ulid).ok());
  EXPECT_FALSE(fs::exists(fs::path(Path()).parent_path()));
  EXPECT_TRUE(objstore::IsAccessDenied(headers_.Load(context_, meta_).status()));
  EXPECT_FALSE(fs::exists(Path() + ".tmp"));
}

TEST_F(IndexHeaderTest, EveryFlippedByteIsFoundAndTheFileMadeAnew) {
  const std::string& good = blocks_[0].header;
  ASSERT_TRUE(IndexHeader::Parse(SharedBytes::Own(good)).ok());
  // Whatever byte is wrong, no table opens that differs from the right one. All bytes stand under a
  // checksum or must have one value.
  const std::size_t step = std::max<std::size_t>(good.size() / 2000, 1);
  for (std::size_t at = 0; at < good.size(); at += at < 100 || at + 200 > good.size() ? 1 : step) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    const auto header = IndexHeader::Parse(SharedBytes::Own(bad));
    ASSERT_FALSE(header.ok()) << "offset " << at;
    ASSERT_EQ(header.status().code(), StatusCode::kDataLoss) << "offset " << at;
  }
  std::string bad = good;
  bad[good.size() / 2] ^= 1;
  for (const std::string& damaged : {bad, std::string(), good.substr(0, 50), good + "x"}) {
    ASSERT_TRUE(headers_.Load(context_, meta_).ok());
    ASSERT_TRUE(WriteFileAtomically(Path(), damaged).ok());
    const auto header = headers_.Load(context_, meta_);
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(*ReadFile(Path()), good);
  }
}

TEST_F(IndexHeaderTest, AFileOfAnotherBlockIsReplaced) {
  ASSERT_TRUE(headers_.Load(context_, meta_).ok());
  ASSERT_TRUE(WriteFileAtomically(Path(), blocks_[1].header).ok());
  const auto header = headers_.Load(context_, meta_);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(*ReadFile(Path()), blocks_[0].header);
}

TEST_F(IndexHeaderTest, DamageInTheBucketIsNamed) {
  std::string bad = index_;
  bad[bad.size() - 10] ^= 1;
  PutIndex(bad);
  Status status = headers_.Load(context_, meta_).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(ObjectName(meta_.ulid, kIndexFile)));
  EXPECT_FALSE(fs::exists(Path()));

  bad = index_;
  bad[40] ^= 1;  // in the symbols
  PutIndex(bad);
  status = headers_.Load(context_, meta_).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("checksum of the symbols"));

  PutIndex("short");
  EXPECT_EQ(headers_.Load(context_, meta_).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace aevum::block
