#include "block/upload.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "block/marks.h"
#include "block/testing/blocks.h"

namespace aevum::block {
namespace {

namespace fs = std::filesystem;
using testing::CountingBucket;
using ::testing::ElementsAre;
using testing::IdOf;
using ::testing::IsEmpty;
using testing::List;
using testing::MakeMeta;
using testing::Put;

class UploadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(directory_.File("chunks"));
    Write("chunks/000001", "first segment");
    Write("chunks/000002", "second segment");
    Write("index", "the index");
    Write("tombstones", "stay here");
  }
  void Write(const std::string& path, std::string_view bytes) {
    ASSERT_TRUE(WriteFileAtomically(directory_.File(path), bytes).ok());
  }
  Status Upload() {
    return UploadBlock(context_, bucket_, directory_.path(), MakeMeta(1), options_);
  }
  std::string Get(const std::string& file) {
    const auto text = bucket_.Get(context_, ObjectName(IdOf(1), file));
    return text.ok() ? *text : text.status().ToString();
  }

  const Context context_ = Context::Background();
  const FakeClock clock_{1'780'000'000'123};
  TemporaryDirectory directory_ = *TemporaryDirectory::Create();
  CountingBucket bucket_;
  UploadBlockOptions options_{.hash = HashFunction::kSha256, .concurrency = 2, .clock = &clock_};
};

const std::string kBlock = "01HF5Z6Q000000000000000001/";

TEST_F(UploadTest, PutsFilesAndStatesThem) {
  ASSERT_TRUE(Upload().ok());
  EXPECT_THAT(List(bucket_), ElementsAre(kBlock + "chunks/000001", kBlock + "chunks/000002",
                                         kBlock + "index", kBlock + "meta.json"));
  const auto meta = Meta::Parse(Get("meta.json"));
  ASSERT_TRUE(meta.ok()) << meta.status();
  ASSERT_EQ(meta->files.size(), 4U);
  EXPECT_EQ(meta->files[0].path, "chunks/000001");
  EXPECT_EQ(meta->files[0].size_bytes, 13);
  EXPECT_EQ(meta->files[2].hash->value,
            "2814ba1ae47e21f6f49e55683952d32eecba42333f12c643494aa1abcc173a0a");
  EXPECT_FALSE(meta->files[3].hash.has_value());
  EXPECT_EQ(FormatTimestamp(meta->upload_time), "2026-05-28T20:26:40.123Z");
}

TEST_F(UploadTest, AFailureAtAnyCallLeavesNoBlockAndTheNextRunFinishes) {
  for (const bool put_all_the_same : {false, true}) {
    for (int call = 0; call < 4; ++call) {
      SCOPED_TRACE(fmt::format("call {}, put all the same: {}", call, put_all_the_same));
      bucket_.fail_call = -1;
      ASSERT_TRUE(DeleteBlock(context_, bucket_, IdOf(1)).ok());
      ASSERT_THAT(List(bucket_), IsEmpty());
      bucket_.calls = 0;
      bucket_.fail_call = call;
      bucket_.fail_after_upload = put_all_the_same;
      EXPECT_EQ(Upload().code(), StatusCode::kUnavailable);
      bucket_.fail_call = -1;
      // Either there is no meta.json, or the block is whole.
      const std::vector<std::string> left = List(bucket_);
      if (std::find(left.begin(), left.end(), kBlock + "meta.json") != left.end()) {
        EXPECT_EQ(left.size(), 4U);
      }
      ASSERT_TRUE(Upload().ok());
      EXPECT_EQ(List(bucket_).size(), 4U);
      EXPECT_EQ(Get("chunks/000002"), "second segment");
    }
  }
}

TEST_F(UploadTest, RefusesABlockWithoutLabels) {
  Meta meta = MakeMeta(1);
  meta.labels.clear();
  EXPECT_EQ(UploadBlock(context_, bucket_, directory_.path(), meta, options_).code(),
            StatusCode::kFailedPrecondition);
  EXPECT_THAT(List(bucket_), IsEmpty());
}

TEST_F(UploadTest, RefusesABlockWithoutIndex) {
  fs::remove(directory_.File("index"));
  EXPECT_EQ(Upload().code(), StatusCode::kNotFound);
  EXPECT_THAT(List(bucket_), IsEmpty());
}

TEST_F(UploadTest, ADeletionThatIsCutShortLeavesNoBlockAndItsMark) {
  for (int call = 0;; ++call) {
    SCOPED_TRACE(call);
    bucket_.fail_call = -1;
    ASSERT_TRUE(Upload().ok());
    Mark mark;
    mark.block = IdOf(1);
    Put(bucket_, ObjectName(mark.block, MarkFile(mark.kind)), mark.Write());
    bucket_.calls = 0;
    bucket_.fail_call = call;
    const Status status = DeleteBlock(context_, bucket_, IdOf(1));
    bucket_.fail_call = -1;
    if (status.ok()) {
      EXPECT_GE(call, 6);
      break;
    }
    EXPECT_FALSE(call > 0 && *bucket_.Exists(context_, kBlock + "meta.json"));
    EXPECT_TRUE(*bucket_.Exists(context_, kBlock + "deletion-mark.json"));
    ASSERT_TRUE(DeleteBlock(context_, bucket_, IdOf(1)).ok());
    EXPECT_THAT(List(bucket_), IsEmpty());
  }
}

TEST_F(UploadTest, ADownloadSkipsWhatIsThere) {
  ASSERT_TRUE(Upload().ok());
  const TemporaryDirectory copy = *TemporaryDirectory::Create();
  const auto meta = DownloadBlock(context_, bucket_, IdOf(1), copy.path());
  ASSERT_TRUE(meta.ok()) << meta.status();
  EXPECT_EQ(*ReadFile(copy.File("chunks/000001")), "first segment");
  EXPECT_EQ(*ReadFile(copy.File("meta.json")), Get("meta.json"));
  // One file differs: it alone is read again, beside meta.json and the listing.
  ASSERT_TRUE(WriteFileAtomically(copy.File("index"), "no index!").ok());
  bucket_.calls = 0;
  ASSERT_TRUE(DownloadBlock(context_, bucket_, IdOf(1), copy.path()).ok());
  EXPECT_EQ(bucket_.calls, 3);
  EXPECT_EQ(*ReadFile(copy.File("index")), "the index");
  EXPECT_TRUE(
      objstore::IsNotFound(DownloadBlock(context_, bucket_, IdOf(2), copy.path()).status()));
}

}  // namespace
}  // namespace aevum::block
