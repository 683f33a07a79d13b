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

}  // namespace
}  // namespace aevum::model
