#include "block/shipper.h"

#include <prometheus/registry.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "block/testing/blocks.h"

namespace aevum::block {
namespace {

namespace fs = std::filesystem;
using testing::CountingBucket;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IdOf;
using ::testing::IsEmpty;
using testing::List;
using testing::MakeMeta;
using testing::PutMeta;

const std::string kVectors = AEVUM_SHARED_DIR "/golden/vectors/meta/";

TEST(ShipperStateTest, WritesBackWhatTheReferenceWrote) {
  if (!fs::exists(kVectors)) GTEST_SKIP() << "no golden vectors at " << kVectors;
  for (const char* file :
       {"shipper/three.json", "shipper/empty.json", "sidecar/thanos.shipper.json"}) {
    SCOPED_TRACE(file);
    const std::string text = *ReadFile(kVectors + file);
    const auto state = ShipperState::Parse(text);
    ASSERT_TRUE(state.ok()) << state.status();
    EXPECT_EQ(state->Write(), text);
  }
}

TEST(ShipperStateTest, AcceptsAndRefusesAsTheReferenceDoes) {
  const std::string path = kVectors + "shipper_read.jsonl";
  if (!fs::exists(path)) GTEST_SKIP() << "no golden vectors at " << path;
  std::ifstream stream(path);
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    const auto vector = nlohmann::json::parse(line);
    EXPECT_EQ(ShipperState::Parse(vector["input"].get<std::string>()).ok(), vector["ok"]) << line;
  }
  EXPECT_GE(lines, 9);
}

class ShipperTest : public ::testing::Test {
 protected:
  void SetUp() override { Start({}); }
  void Start(ShipperOptions options) {
    options.directory = directory_.path();
    registry_ = std::make_unique<prometheus::Registry>();
    shipper_ = std::make_unique<Shipper>(
        std::move(options), bucket_, [] { return model::Labels::Of({{"cluster", "eu"}}); },
        Logger(), *registry_);
  }
  void Cut(Meta meta) {
    const std::string path = directory_.File(meta.ulid.ToString());
    fs::create_directories(path + "/chunks");
    ASSERT_TRUE(WriteFileAtomically(path + "/chunks/000001", "chunks").ok());
    ASSERT_TRUE(WriteFileAtomically(path + "/index", "index").ok());
    meta.labels.clear();
    ASSERT_TRUE(WriteFileAtomically(path + "/meta.json", meta.Write()).ok());
  }
  std::size_t Sync() {
    const auto count = shipper_->Sync(context_);
    EXPECT_TRUE(count.ok()) << count.status();
    return count.ok() ? *count : 0;
  }
  std::vector<model::Ulid> Uploaded() {
    const auto text = ReadFile(directory_.File("thanos.shipper.json"));
    return text.ok() ? ShipperState::Parse(*text)->uploaded : std::vector<model::Ulid>();
  }
  bool InBucket(int number) {
    return *bucket_.Exists(context_, ObjectName(IdOf(number), kMetaFile));
  }

  const Context context_ = Context::Background();
  TemporaryDirectory directory_ = *TemporaryDirectory::Create();
  CountingBucket bucket_;
  std::unique_ptr<prometheus::Registry> registry_;
  std::unique_ptr<Shipper> shipper_;
};

Meta Compacted(int number) {
  Meta meta = MakeMeta(number);
  meta.compaction.level = 2;
  return meta;
}

TEST_F(ShipperTest, UploadsEachBlockOnce) {
  Cut(MakeMeta(2));
  Cut(MakeMeta(1));
  EXPECT_EQ(Sync(), 2U);
  EXPECT_THAT(Uploaded(), ElementsAre(IdOf(1), IdOf(2)));
  const Meta meta = *Meta::Parse(*bucket_.Get(context_, ObjectName(IdOf(1), kMetaFile)));
  EXPECT_EQ(meta.source, "sidecar");
  EXPECT_EQ(meta.labels, MakeMeta(1).labels);
  EXPECT_THAT(meta.segment_files, ElementsAre("000001"));
  EXPECT_EQ(meta.files.size(), 3U);
  EXPECT_TRUE(meta.IsUploadTimeSet());
  EXPECT_THAT(*ListDirectory(directory_.File("thanos/upload")), IsEmpty());
  // What the state knows of is not asked for, and it forgets what is no longer on disk.
  bucket_.calls = 0;
  fs::remove_all(directory_.File(IdOf(1).ToString()));
  EXPECT_EQ(Sync(), 0U);
  EXPECT_EQ(bucket_.calls, 0);
  EXPECT_THAT(Uploaded(), ElementsAre(IdOf(2)));
  EXPECT_EQ(*shipper_->MinTime(), MakeMeta(2).min_time);
}

TEST_F(ShipperTest, LeavesEmptyAndCompactedBlocks) {
  Meta empty = MakeMeta(1);
  empty.stats.samples = 0;
  Cut(empty);
  Cut(Compacted(2));
  EXPECT_EQ(Sync(), 0U);
  EXPECT_THAT(List(bucket_), IsEmpty());
  EXPECT_THAT(Uploaded(), IsEmpty());
}

TEST_F(ShipperTest, ALostStateIsMadeAnewFromTheBucket) {
  Cut(MakeMeta(1));
  ASSERT_EQ(Sync(), 1U);
  ASSERT_TRUE(WriteFileAtomically(directory_.File("thanos.shipper.json"), "{damaged").ok());
  EXPECT_EQ(Sync(), 0U);
  EXPECT_THAT(Uploaded(), ElementsAre(IdOf(1)));
}

TEST_F(ShipperTest, ACompactedBlockMustNotOverlap) {
  Start({.upload_compacted = true});
  Cut(Compacted(1));
  PutMeta(bucket_, MakeMeta(1));
  ASSERT_TRUE(bucket_.Delete(context_, ObjectName(IdOf(1), kMetaFile)).ok());
  Meta there = MakeMeta(9);
  there.min_time = MakeMeta(1).max_time - 1;
  PutMeta(bucket_, there);
  const Status status = shipper_->Sync(context_).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr(IdOf(9).ToString()));
  there.labels = {{"cluster", "other"}};
  PutMeta(bucket_, there);
  EXPECT_EQ(Sync(), 1U);
}

TEST_F(ShipperTest, OneThatFailsHoldsUpTheYoungerUnlessTold) {
  Cut(MakeMeta(1));
  Cut(MakeMeta(2));
  bucket_.fail = ObjectName(IdOf(1), kIndexFile);
  EXPECT_EQ(shipper_->Sync(context_).status().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(InBucket(2));
  Start({.allow_out_of_order = true});
  EXPECT_EQ(shipper_->Sync(context_).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(InBucket(2));
  EXPECT_THAT(Uploaded(), ElementsAre(IdOf(2)));
  bucket_.fail.clear();
  EXPECT_EQ(Sync(), 1U);
  EXPECT_THAT(Uploaded(), ElementsAre(IdOf(1), IdOf(2)));
}

TEST_F(ShipperTest, ABlockThatCanNotBeReadStopsUnlessTold) {
  Cut(MakeMeta(1));
  fs::create_directories(directory_.File(IdOf(2).ToString()));
  EXPECT_FALSE(shipper_->Sync(context_).ok());
  EXPECT_FALSE(InBucket(1));
  Start({.skip_corrupted = true});
  EXPECT_FALSE(shipper_->Sync(context_).ok());
  EXPECT_TRUE(InBucket(1));
}

// A process that is killed after the last call of an upload leaves its links; the block is in the
// bucket, so that it is not uploaded again.
TEST_F(ShipperTest, LinksOfAKilledProcessAreRemoved) {
  Cut(MakeMeta(1));
  EXPECT_EQ(Sync(), 1U);
  const std::string links = directory_.File("thanos/upload/" + IdOf(1).ToString());
  const std::string gone = directory_.File("thanos/upload/" + IdOf(2).ToString());
  const std::string other = directory_.File("thanos/upload/notes");
  for (const std::string& path : {links, gone, other}) {
    fs::create_directories(path);
    ASSERT_TRUE(WriteFileAtomically(path + "/index", "index").ok());
  }
  EXPECT_EQ(Sync(), 0U);
  EXPECT_FALSE(fs::exists(links));
  EXPECT_FALSE(fs::exists(gone));
  EXPECT_TRUE(fs::exists(other));
}

TEST_F(ShipperTest, KilledAtAnyCallTheNextRunFinishes) {
  Cut(MakeMeta(1));
  for (int call = 0; call < 4; ++call) {
    SCOPED_TRACE(call);
    ASSERT_TRUE(DeleteBlock(context_, bucket_, IdOf(1)).ok());
    fs::remove(directory_.File("thanos.shipper.json"));
    bucket_.calls = 0;
    bucket_.fail_call = call;
    EXPECT_FALSE(shipper_->Sync(context_).ok());
    bucket_.fail_call = -1;
    EXPECT_FALSE(InBucket(1));
    EXPECT_THAT(Uploaded(), IsEmpty());
    EXPECT_EQ(Sync(), 1U);
    EXPECT_EQ(List(bucket_).size(), 3U);
  }
  EXPECT_EQ(*ReadFile(directory_.File(IdOf(1).ToString() + "/index")), "index");
}

}  // namespace
}  // namespace aevum::block
