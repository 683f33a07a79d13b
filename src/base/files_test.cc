#include "base/files.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum {
namespace {

using ::testing::ElementsAre;

TEST(FilesTest, WritesReadsAndLists) {
  std::string path;
  {
    const StatusOr<TemporaryDirectory> directory = TemporaryDirectory::Create();
    ASSERT_TRUE(directory.ok()) << directory.status();
    path = directory->path();
    ASSERT_TRUE(WriteFileAtomically(directory->File("b"), std::string(100'000, 'x')).ok());
    ASSERT_TRUE(WriteFileAtomically(directory->File("a"), "old").ok());
    ASSERT_TRUE(WriteFileAtomically(directory->File("a"), "new").ok());
    EXPECT_EQ(*ReadFile(directory->File("a")), "new");
    EXPECT_EQ(ReadFile(directory->File("b"))->size(), 100'000U);
    EXPECT_THAT(*ListDirectory(path), ElementsAre("a", "b"));
    EXPECT_EQ(ReadFile(directory->File("b"), 99'999).status().code(),
              StatusCode::kResourceExhausted);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(FilesTest, NamesWhatIsMissing) {
  EXPECT_EQ(ReadFile("/nowhere/x").status().ToString(),
            "NotFound: open /nowhere/x: No such file or directory");
  EXPECT_EQ(ListDirectory("/nowhere").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(WriteFileAtomically("/nowhere/x", "").code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace aevum
