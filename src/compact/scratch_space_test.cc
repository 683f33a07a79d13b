#include "compact/scratch_space.h"

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "base/files.h"

namespace aevum::compact {
namespace {

TEST(ScratchSpaceTest, WhatCanNeverFitIsAnError) {
  ScratchSpace space("/data", 100);
  const auto reserved = space.Reserve(Context::Background(), 101);
  EXPECT_EQ(reserved.status().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(reserved.status().message().find("--compact.scratch-size"), std::string::npos);
}

TEST(ScratchSpaceTest, WaitsForWhatOthersGiveBack) {
  ScratchSpace space("/data", 100);
  std::optional<ScratchSpace::Reservation> first;
  first.emplace(*space.Reserve(Context::Background(), 60));
  EXPECT_EQ(space.used_bytes(), 60U);
  std::thread other([&] {
    const auto second = space.Reserve(Context::Background(), 60);
    EXPECT_TRUE(second.ok());
    EXPECT_EQ(space.used_bytes(), 60U);
  });
  first.reset();
  other.join();
  EXPECT_EQ(space.used_bytes(), 0U);
}

TEST(ScratchSpaceTest, AWaitEndsWithTheContext) {
  ScratchSpace space("/data", 100);
  const auto first = space.Reserve(Context::Background(), 60);
  CancelScope scope(Context::Background());
  std::thread other([&] {
    EXPECT_EQ(space.Reserve(scope.context(), 60).status().code(), StatusCode::kCancelled);
  });
  scope.Cancel();
  other.join();
  const Context late = Context::Background().WithTimeout(std::chrono::milliseconds(1));
  EXPECT_EQ(space.Reserve(late, 60).status().code(), StatusCode::kDeadlineExceeded);
}

TEST(ScratchSpaceTest, NoLimitCountsNothing) {
  ScratchSpace space("/data", 0);
  const auto reserved = space.Reserve(Context::Background(), UINT64_MAX);
  EXPECT_TRUE(reserved.ok());
  EXPECT_EQ(space.used_bytes(), 0U);
}

TEST(ScratchDirectoryTest, LeavesNothing) {
  const TemporaryDirectory root = *TemporaryDirectory::Create();
  const std::string path = root.File("compact/group");
  {
    const ScratchDirectory directory(path);
    ASSERT_TRUE(directory.Create().ok());
    ASSERT_TRUE(WriteFileAtomically(path + "/left", "x").ok());
    const ScratchDirectory again(path);
    EXPECT_FALSE(std::filesystem::exists(path + "/left"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(WriteFileAtomically(root.File("file"), "x").ok());
  const Status status = ScratchDirectory(root.File("file/below")).Create();
  EXPECT_NE(status.message().find("--data-dir"), std::string::npos) << status;
}

}  // namespace
}  // namespace aevum::compact
