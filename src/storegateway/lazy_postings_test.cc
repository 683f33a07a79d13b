#include "storegateway/lazy_postings.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::storegateway {
namespace {

using ::testing::ElementsAre;

// Groups as ResolveMatchers orders them: those that add first, each by size.
class LazyPostingsTest : public ::testing::Test {
 protected:
  void Add(std::uint64_t postings, std::size_t keys = 1, bool subtract = false) {
    tsdb::PostingGroup group{.subtract = subtract, .matcher = &matcher_};
    for (std::size_t i = 0; i < keys; ++i)
      group.keys.push_back({"a", "b", {0, 4 * postings / keys}});
    groups_.groups.push_back(std::move(group));
  }
  LazyPostings Mark(std::uint64_t series_bytes, double keys_per_series = 100) {
    return MarkLazyGroups({.enabled = true, .max_keys_per_series = keys_per_series}, series_bytes,
                          &groups_);
  }
  std::vector<bool> Lazy() const {
    std::vector<bool> lazy;
    for (const tsdb::PostingGroup& group : groups_.groups) lazy.push_back(group.lazy);
    return lazy;
  }

  const model::Matcher matcher_ = model::Matcher::Equal("a", "b");
  tsdb::PostingGroups groups_;
};

TEST_F(LazyPostingsTest, ReadsPostingsThatSpareMore) {
  Add(100);
  Add(1'000);
  // Half of 100 series of 1000 bytes are spared by 4000 bytes.
  EXPECT_EQ(Mark(1'000).groups(), 0U);
  EXPECT_THAT(Lazy(), ElementsAre(false, false));
}

TEST_F(LazyPostingsTest, LeavesLargePostingsUnread) {
  Add(10);
  Add(20);
  Add(1'000'000);
  Add(2'000'000, 3);
  const LazyPostings lazy = Mark(1'000);
  EXPECT_THAT(Lazy(), ElementsAre(false, false, true, true));
  EXPECT_EQ(lazy.too_large, 2U);
  EXPECT_EQ(lazy.too_many_keys, 0U);
  EXPECT_EQ(lazy.bytes, 4 * 1'000'000U + 4 * 2'000'000 / 3 * 3);
}

TEST_F(LazyPostingsTest, LeavesManyKeysUnread) {
  Add(10);
  Add(1'200, 1'200);
  Add(1'300);
  EXPECT_EQ(Mark(64 << 10).too_many_keys, 1U);
  EXPECT_THAT(Lazy(), ElementsAre(false, true, false)) << "one beyond it may still be read";
  for (tsdb::PostingGroup& group : groups_.groups) group.lazy = false;
  EXPECT_EQ(Mark(64 << 10, /*keys_per_series=*/0).groups(), 0U);
}

TEST_F(LazyPostingsTest, WhatIsSubtractedSparesNoMoreThanItHolds) {
  Add(1'000'000);
  Add(10, 1, /*subtract=*/true);
  EXPECT_EQ(Mark(100).groups(), 0U);
  // Of the million at most ten are spared: with series of four bytes that is not worth forty.
  EXPECT_EQ(Mark(4).groups(), 1U);
}

TEST_F(LazyPostingsTest, AtLeastOneGroupIsRead) {
  Add(1'000'000);
  EXPECT_EQ(Mark(1).groups(), 0U);
  // All series, less some: nothing says which to read otherwise.
  groups_.groups.front().matcher = nullptr;
  Add(2'000'000, 1, /*subtract=*/true);
  EXPECT_EQ(Mark(1).groups(), 0U);
  groups_.groups.front().matcher = &matcher_;
  EXPECT_EQ(MarkLazyGroups({}, 1, &groups_).groups(), 0U) << "it is not enabled";
  EXPECT_EQ(Mark(1).groups(), 1U);
  tsdb::PostingGroups none{.none = true};
  EXPECT_EQ(MarkLazyGroups({.enabled = true}, 1, &none).groups(), 0U);
}

}  // namespace
}  // namespace aevum::storegateway
