#include "base/output_file.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/files.h"

namespace aevum {
namespace {

class OutputFileTest : public ::testing::Test {
 protected:
  OutputFileTest() : directory_(*TemporaryDirectory::Create()) {}

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.File("a/b/file");
};

TEST_F(OutputFileTest, IsThereAsAWholeOrNotAtAll) {
  {
    StatusOr<OutputFile> file = OutputFile::Create(path_);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Write("lost").ok());
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.File("a/b")));
  StatusOr<OutputFile> file = OutputFile::Create(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Write("kept").ok());
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(*ReadFile(path_), "kept");
}

TEST_F(OutputFileTest, KeepsTheOrderOfSmallAndLargePieces) {
  StatusOr<OutputFile> file = OutputFile::Create(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  std::string expected;
  for (const std::size_t size : {1, 300'000, 7, 100'000, 200'000, 262'144, 3}) {
    const std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    ASSERT_TRUE(file->Write(piece).ok());
    expected += piece;
    EXPECT_EQ(file->size_bytes(), expected.size());
  }
  ASSERT_TRUE(file->WriteAt(300'000, "patched").ok());
  expected.replace(300'000, 7, "patched");
  ASSERT_TRUE(file->Flush().ok());
  EXPECT_EQ(*ReadFile(file->temporary_path()), expected);
  ASSERT_TRUE(file->Write("behind").ok());
  ASSERT_TRUE(file->Truncate(expected.size() + 2).ok());
  ASSERT_TRUE(file->Write("!").ok());
  ASSERT_TRUE(file->Commit(OutputFile::Durability::kUnsynced).ok());
  EXPECT_EQ(*ReadFile(path_), expected + "be!");
}

}  // namespace
}  // namespace aevum
