#include "tools/rewrite_bucket.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "block/marks.h"
#include "block/testing/blocks.h"
#include "tools/testing/recorded_log.h"

namespace aevum::tools {
namespace {

namespace fs = std::filesystem;
using block::ObjectName;
using block::testing::CountingBucket;
using block::testing::Put;
using ::testing::Each;
using ::testing::StartsWith;

const std::string kRaw = AEVUM_SHARED_DIR "/golden/buckets/raw/";
const Context kContext = Context::Background();

class RewriteBlocksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string source = kRaw + id_.ToString();
    if (!fs::exists(source)) GTEST_SKIP() << "no golden block at " << source;
    for (const char* file : {"meta.json", "index", "chunks/000001"}) {
      const auto bytes = ReadFile(source + "/" + file);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      Put(bucket_, ObjectName(id_, file), *bytes);
    }
    auto made = TemporaryDirectory::Create();
    ASSERT_TRUE(made.ok()) << made.status();
    directory_.emplace(*std::move(made));
    options_.blocks = {id_};
    options_.directory = directory_->path();
    options_.deletions.push_back(
        {.matchers = {model::Matcher::Equal("__name__", "http_requests_total")}});
    options_.report = [this](std::string_view line) {
      lines_.emplace_back(line);
      return OkStatus();
    };
  }

  Status Run() {
    ProgressBar silent("", nullptr);
    return RewriteBlocks(kContext, bucket_, options_, silent, log_.logger());
  }

  // Without the block that was there from the beginning.
  std::vector<std::string> NewBlocks() {
    std::vector<std::string> names;
    const Status status =
        bucket_.Iterate(kContext, "", {}, [&](const objstore::ListedObject& object) {
          if (!object.name.starts_with(id_.ToString())) names.push_back(object.name);
          return OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return names;
  }

  bool IsMarked() {
    return block::ReadMark(kContext, bucket_, block::MarkKind::kDeletion, id_).ok();
  }

  const model::Ulid id_ = *model::Ulid::Parse("01M88B69SDCRCZ0QV2H063H466");
  CountingBucket bucket_;
  std::optional<TemporaryDirectory> directory_;
  RewriteBucketOptions options_;
  std::vector<std::string> lines_;
  testing::RecordedLog log_;
};

TEST_F(RewriteBlocksTest, OnlyTellsInADryRun) {
  options_.delete_originals = true;
  const Status status = Run();
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_FALSE(lines_.empty());
  EXPECT_THAT(lines_, Each(StartsWith("Deleted {__name__=\"http_requests_total\"")));
  EXPECT_TRUE(NewBlocks().empty());
  EXPECT_FALSE(IsMarked());
  EXPECT_TRUE(fs::is_empty(directory_->path()));
}

TEST_F(RewriteBlocksTest, UploadsThenMarks) {
  options_.dry_run = false;
  options_.delete_originals = true;
  const Status status = Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(lines_.empty());
  EXPECT_FALSE(NewBlocks().empty());
  EXPECT_TRUE(IsMarked());
  const auto made = ListDirectory(directory_->path());
  ASSERT_TRUE(made.ok());
  ASSERT_EQ(made->size(), 1U);
  const auto log = ReadFile(directory_->path() + "/" + made->front() + "/change.log");
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_THAT(*log, StartsWith("Deleted {__name__=\"http_requests_total\""));
}

TEST_F(RewriteBlocksTest, KeepsTheOriginalWhenTheUploadFails) {
  options_.dry_run = false;
  options_.delete_originals = true;
  // The last upload, that of the meta.json, comes before the mark.
  ASSERT_TRUE(Run().ok());
  const int calls = bucket_.calls;
  const Status removed =
      bucket_.Delete(kContext, ObjectName(id_, block::MarkFile(block::MarkKind::kDeletion)));
  ASSERT_TRUE(removed.ok()) << removed;
  for (int call = 0; call < calls; ++call) {
    bucket_.calls = 0;
    bucket_.fail_call = call;
    const Status status = Run();
    bucket_.fail_call = -1;
    if (!status.ok()) {
      EXPECT_FALSE(IsMarked()) << "call " << call;
    }
    if (IsMarked()) break;
  }
}

TEST_F(RewriteBlocksTest, RefusesBlocksWithoutLabels) {
  const auto text = bucket_.Get(kContext, ObjectName(id_, "meta.json"));
  ASSERT_TRUE(text.ok());
  auto meta = block::Meta::Parse(*text);
  ASSERT_TRUE(meta.ok());
  meta->labels.clear();
  Put(bucket_, ObjectName(id_, "meta.json"), meta->Write());
  options_.dry_run = false;
  EXPECT_EQ(Run().code(), StatusCode::kFailedPrecondition);
  options_.without_labels = true;
  const Status status = Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_FALSE(NewBlocks().empty());
}

TEST_F(RewriteBlocksTest, RefusesToDoNothing) {
  options_.deletions.clear();
  EXPECT_EQ(Run().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aevum::tools
