#include "storegateway/block_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::storegateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kFive = 300'000;
constexpr std::int64_t kHour = 3'600'000;

TEST(BlockChoiceTest, TakesTheCoarsestAndFillsGapsWithFinerOnes) {
  const std::vector<BlockTimes> blocks = {{0, 100, 0},     {100, 200, 0},
                                          {200, 300, 0},                       // 0 1 2
                                          {0, 100, kFive}, {200, 300, kFive},  // 3 4
                                          {0, 100, kHour}};                    // 5
  EXPECT_THAT(ChooseBlocks(blocks, 0, 299, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(ChooseBlocks(blocks, 0, 299, kFive), ElementsAre(1, 3, 4));
  EXPECT_THAT(ChooseBlocks(blocks, 0, 299, kHour), ElementsAre(1, 4, 5));
  EXPECT_THAT(ChooseBlocks(blocks, 0, 299, kFive - 1), ElementsAre(0, 1, 2));
}

TEST(BlockChoiceTest, BoundsAreThoseOfBlocks) {
  const std::vector<BlockTimes> blocks = {{100, 200, 0}, {200, 300, 0}};
  EXPECT_THAT(ChooseBlocks(blocks, 0, 99, 0), IsEmpty());
  EXPECT_THAT(ChooseBlocks(blocks, 0, 100, 0), ElementsAre(0));
  EXPECT_THAT(ChooseBlocks(blocks, 200, 200, 0), ElementsAre(1));
  EXPECT_THAT(ChooseBlocks(blocks, 300, 400, 0), IsEmpty());
  EXPECT_THAT(ChooseBlocks(blocks, 250, 150, 0), IsEmpty());
  EXPECT_THAT(ChooseBlocks({}, 0, 100, 0), IsEmpty());
}

TEST(BlockChoiceTest, KeepsBlocksThatOverlap) {
  const std::vector<BlockTimes> blocks = {{0, 100, 0}, {20, 40, 0}, {30, 130, 0}};
  EXPECT_THAT(ChooseBlocks(blocks, 0, 500, 0), ElementsAre(0, 1, 2));
  EXPECT_THAT(ChooseBlocks(blocks, 50, 60, 0), ElementsAre(0, 2));
}

TEST(BlockChoiceTest, AFineBlockAroundACoarseOneIsTakenOnce) {
  const std::vector<BlockTimes> blocks = {{0, 300, 0}, {100, 200, kFive}};
  EXPECT_THAT(ChooseBlocks(blocks, 0, 299, kFive), ElementsAre(0, 1));
}

}  // namespace
}  // namespace aevum::storegateway
