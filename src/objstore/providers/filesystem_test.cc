#include "objstore/providers/filesystem.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "objstore/testing/acceptance.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::objstore {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Keeps the directory as long as the bucket.
struct Kept {
  TemporaryDirectory directory;
  std::unique_ptr<FilesystemBucket> bucket;
};

StatusOr<std::shared_ptr<Bucket>> OpenTemporary() {
  ASSIGN_OR_RETURN(TemporaryDirectory directory, TemporaryDirectory::Create());
  ASSIGN_OR_RETURN(auto bucket, FilesystemBucket::Open(directory.File("bucket")));
  const auto kept = std::make_shared<Kept>(Kept{std::move(directory), std::move(bucket)});
  return std::shared_ptr<Bucket>(kept, kept->bucket.get());
}

INSTANTIATE_TEST_SUITE_P(Filesystem, AcceptanceTest,
                         ::testing::Values(ProviderUnderTest{OpenTemporary, nullptr}));
INSTANTIATE_TEST_SUITE_P(
    Memory, AcceptanceTest,
    ::testing::Values(ProviderUnderTest{
        [] { return StatusOr<std::shared_ptr<Bucket>>(std::make_shared<MemoryBucket>()); },
        nullptr}));

class FilesystemBucketTest : public ::testing::Test {
 protected:
  FilesystemBucketTest()
      : directory_(*TemporaryDirectory::Create()),
        bucket_(*FilesystemBucket::Open(directory_.File("bucket"))) {}

  std::string PathOf(const std::string& name) { return directory_.File("bucket/" + name); }
  Status Put(const std::string& name, std::string_view bytes) {
    return bucket_->Upload(context_, name, BytesSource(bytes), {}).status();
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    EXPECT_TRUE(bucket_
                    ->Iterate(context_, "", {},
                              [&](const ListedObject& object) {
                                names.push_back(object.name);
                                return OkStatus();
                              })
                    .ok());
    return names;
  }

  const Context context_ = Context::Background();
  TemporaryDirectory directory_;
  std::unique_ptr<FilesystemBucket> bucket_;
};

TEST_F(FilesystemBucketTest, NamesDoNotLeaveTheDirectory) {
  ASSERT_TRUE(WriteFileAtomically(directory_.File("secret"), "s").ok());
  for (const char* name :
       {"../secret", "a/../../secret", "/etc/passwd", "./a", "a//b", "..", ".aevum-upload/a"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(bucket_->Get(context_, name).status().code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(Put(name, "x").code(), StatusCode::kInvalidArgument);
    EXPECT_EQ(bucket_->Delete(context_, name).code(), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(
      bucket_->Iterate(context_, "..", {}, [](const ListedObject&) { return OkStatus(); }).code(),
      StatusCode::kInvalidArgument);
  EXPECT_EQ(*ReadFile(directory_.File("secret")), "s");
}

TEST_F(FilesystemBucketTest, ADeleteRemovesTheDirectoriesThatItEmpties) {
  ASSERT_TRUE(Put("a/b/c/x", "1").ok());
  ASSERT_TRUE(Put("a/y", "1").ok());
  ASSERT_TRUE(bucket_->Delete(context_, "a/b/c/x").ok());
  EXPECT_FALSE(std::filesystem::exists(PathOf("a/b")));
  EXPECT_TRUE(std::filesystem::exists(PathOf("a/y")));
  ASSERT_TRUE(bucket_->Delete(context_, "a/y").ok());
  EXPECT_FALSE(std::filesystem::exists(PathOf("a")));
}

TEST_F(FilesystemBucketTest, ADeleteLeavesAFullDirectory) {
  ASSERT_TRUE(Put("a/b", "1").ok());
  EXPECT_TRUE(bucket_->Delete(context_, "a").ok());
  EXPECT_TRUE(bucket_->Delete(context_, "a/").ok());
  EXPECT_EQ(*bucket_->Get(context_, "a/b"), "1");
}

TEST_F(FilesystemBucketTest, ADirectoryObjectGoesWhenItIsEmpty) {
  std::filesystem::create_directories(PathOf("a/b"));
  EXPECT_THAT(Names(), ElementsAre("a/"));
  EXPECT_TRUE(bucket_->Delete(context_, "a/b/").ok());
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(FilesystemBucketTest, AFailedUploadLeavesNothing) {
  class Failing final : public UploadSource {
    std::int64_t size_bytes() const override { return 1 << 20; }
    Status Read(std::int64_t offset, std::span<char> out) const override {
      if (offset > 0) return Internal("the file is gone");
      std::fill(out.begin(), out.end(), 'x');
      return OkStatus();
    }
  };
  ASSERT_TRUE(Put("a", "old").ok());
  EXPECT_EQ(bucket_->Upload(context_, "a", Failing(), {}).status().code(), StatusCode::kInternal);
  EXPECT_EQ(*bucket_->Get(context_, "a"), "old");
  EXPECT_THAT(*ListDirectory(PathOf(".aevum-upload")), IsEmpty());
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_F(FilesystemBucketTest, OpeningRemovesOldLeftovers) {
  ASSERT_TRUE(Put("a", "1").ok());
  const std::string old_one = PathOf(".aevum-upload/old");
  ASSERT_TRUE(WriteFileAtomically(old_one, "x").ok());
  ASSERT_TRUE(WriteFileAtomically(PathOf(".aevum-upload/new"), "x").ok());
  std::filesystem::last_write_time(
      old_one, std::filesystem::file_time_type::clock::now() - std::chrono::hours(25));
  ASSERT_TRUE(FilesystemBucket::Open(PathOf("")).ok());
  EXPECT_THAT(*ListDirectory(PathOf(".aevum-upload")), ElementsAre("new"));
}

TEST_F(FilesystemBucketTest, SaysWhenAccessIsDenied) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  ASSERT_TRUE(Put("a", "1").ok());
  ASSERT_EQ(::chmod(PathOf("a").c_str(), 0), 0);
  EXPECT_TRUE(IsAccessDenied(bucket_->Get(context_, "a").status()));
}

TEST_F(FilesystemBucketTest, UploadsFiles) {
  const std::string path = directory_.File("block");
  ASSERT_TRUE(WriteFileAtomically(path, std::string(600'000, 'b')).ok());
  StatusOr<FileSource> file = FileSource::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(bucket_->Upload(context_, "x/block", *file, {}).ok());
  EXPECT_EQ(*bucket_->Get(context_, "x/block"), std::string(600'000, 'b'));
  EXPECT_TRUE(IsNotFound(FileSource::Open(path + "-absent").status()));
  // A file that shrinks under the upload is an error, not a short object.
  ASSERT_EQ(::truncate(path.c_str(), 10), 0);
  EXPECT_FALSE(bucket_->Upload(context_, "x/short", *file, {}).ok());
  EXPECT_FALSE(*bucket_->Exists(context_, "x/short"));
}

}  // namespace
}  // namespace aevum::objstore
