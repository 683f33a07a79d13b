#include "tsdb/postings.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encoding/crc32c.h"

namespace aevum::tsdb {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Big32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string Section(std::uint32_t count, const std::vector<std::uint32_t>& refs) {
  std::string content = Big32(count);
  for (const std::uint32_t ref : refs) content += Big32(ref);
  return Big32(static_cast<std::uint32_t>(content.size())) + content +
         Big32(encoding::Crc32c(content));
}

TEST(PostingsTest, ReadsASection) {
  const auto postings = DecodePostings(Section(3, {1, 7, 0x10203040}) + "more");
  ASSERT_TRUE(postings.ok()) << postings.status();
  EXPECT_THAT(*postings, ElementsAre(1, 7, 0x10203040));
  EXPECT_THAT(*DecodePostings(Section(0, {})), IsEmpty());
}

TEST(PostingsTest, RefusesDamage) {
  const std::string section = Section(2, {5, 6});
  for (std::size_t size = 0; size < section.size(); ++size)
    EXPECT_EQ(DecodePostings(section.substr(0, size)).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodePostings(Section(3, {5, 6})).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodePostings(Section(2, {6, 5})).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodePostings(Section(2, {5, 5})).status().code(), StatusCode::kDataLoss);
}

// Against the operations of the standard library, over lists of all densities and lengths.
TEST(PostingsTest, SetOperationsAreThoseOfSets) {
  std::mt19937 random(7);
  const auto make = [&](std::size_t length, std::uint32_t span) {
    std::set<SeriesRef> refs;
    for (std::size_t i = 0; i < length; ++i) refs.insert(static_cast<SeriesRef>(random() % span));
    return Postings(refs.begin(), refs.end());
  };
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t span = round % 3 == 0 ? 300 : round % 3 == 1 ? 100'000 : UINT32_MAX;
    const Postings a = make(random() % 40, span);
    const Postings b = make(random() % 3000, span);
    const Postings c = make(random() % 100, span);
    Postings expected;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(expected));
    ASSERT_EQ(Intersect(a, b), expected);
    ASSERT_EQ(Intersect(b, a), expected);
    ASSERT_EQ(Overlap(a, b), !expected.empty());
    ASSERT_EQ(Overlap(b, a), !expected.empty());
    expected.clear();
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(expected));
    ASSERT_EQ(Subtract(a, b), expected);
    expected.clear();
    std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(expected));
    ASSERT_EQ(Subtract(b, a), expected);
    std::set<SeriesRef> all(a.begin(), a.end());
    all.insert(b.begin(), b.end());
    all.insert(c.begin(), c.end());
    const std::vector<Postings> lists = {a, b, c, {}};
    ASSERT_EQ(Unite(lists), Postings(all.begin(), all.end()));
  }
  EXPECT_THAT(Unite({}), IsEmpty());
}

}  // namespace
}  // namespace aevum::tsdb
