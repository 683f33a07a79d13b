#include "model/labels.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace aevum::model {
namespace {

TEST(LabelsTest, SortsAndFinds) {
  const Labels labels = Labels::Of({{"job", "b"}, {"__name__", "up"}, {"gone", ""}, {"job", "a"}});
  ASSERT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels.ToString(), R"({__name__="up", job="a"})");
  EXPECT_EQ(labels.Get("job"), "a");
  EXPECT_EQ(labels.Get("gone"), "");
  EXPECT_EQ(labels.Get("zz"), "");
  EXPECT_EQ(labels, Labels::Of({{"job", "a"}, {"__name__", "up"}}));
  EXPECT_TRUE(Labels().empty());
  EXPECT_EQ(Labels().ToString(), "{}");
}

std::vector<std::pair<std::string, std::string>> Pairs(const Labels& labels) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Label l : labels) pairs.emplace_back(l.name, l.value);
  return pairs;
}

// The packed bytes must order as the list of (name, value) does, also with the bytes 0 and 1.
TEST(LabelsTest, OrdersAsPairsDo) {
  std::mt19937 random(7);
  const auto text = [&] {
    std::string s(1 + random() % 3, ' ');
    for (char& c : s) c = std::string("\0\1\2ab", 5)[random() % 5];
    return s;
  };
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::string> strings(8);
    std::generate(strings.begin(), strings.end(), text);
    const Labels a = Labels::Of({{strings[0], strings[1]}, {strings[2], strings[3]}});
    const Labels b = Labels::Of({{strings[4], strings[5]}, {strings[6], strings[7]}});
    ASSERT_EQ(a <=> b, Pairs(a) <=> Pairs(b)) << a.ToString() << b.ToString();
    ASSERT_EQ(a.Get(strings[2]), strings[3]);
  }
}

TEST(LabelsBuilderTest, ChangesOnlyWhatItIsTold) {
  const Labels base = Labels::Of({{"a", "1"}, {"c", "3"}});
  EXPECT_EQ(LabelsBuilder(base).Build().packed().data(), base.packed().data());
  EXPECT_EQ(LabelsBuilder(base).Set("b", "2").Remove("a").Set("c", "").Build(),
            Labels::Of({{"b", "2"}}));
  const std::vector<std::string> keep = {"c"};
  EXPECT_EQ(LabelsBuilder(base).Keep(keep).Build(), Labels::Of({{"c", "3"}}));
}

// Escapes are counted by blocks of words: strings that end before, in and behind one.
TEST(LabelsTest, KeepsBytesOfLongValues) {
  for (const std::size_t size : {1UL, 7UL, 200UL, 240UL, 247UL, 248UL, 249UL, 500UL, 3000UL}) {
    for (const char odd : {'\0', '\1', '\2', '\x7f', '\x80', '\x81', '\xff'}) {
      SCOPED_TRACE(size);
      SCOPED_TRACE(static_cast<int>(odd));
      std::string mixed(size, 'x');
      for (std::size_t i = 0; i < size; i += 3) mixed[i] = odd;
      const std::string all(size, odd);
      const std::vector<Label> sorted = {{"a", mixed}, {"b", all}, {"c", "plain"}};
      const Labels labels = Labels::FromSorted(sorted);
      ASSERT_EQ(labels.size(), 3U);
      for (std::size_t i = 0; i < sorted.size(); ++i) EXPECT_EQ(labels[i], sorted[i]);
      const bool escaped = odd == '\0' || odd == '\1';
      const std::size_t escapes = escaped ? (size + 2) / 3 + size : 0;
      EXPECT_EQ(labels.packed().size(), 3 + 2 * size + 5 + 6 + escapes);
    }
  }
}

}  // namespace
}  // namespace aevum::model
