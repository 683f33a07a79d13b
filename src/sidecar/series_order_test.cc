#include "sidecar/series_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace aevum::sidecar {
namespace {

using model::Labels;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using Mode = SeriesOrder::Mode;

const BufferOwner kOwner = std::make_shared<int>(0);

std::shared_ptr<const LabelRewriting> Rewriting(Labels external,
                                                std::vector<std::string> removed = {}) {
  return std::make_shared<const LabelRewriting>(std::move(external), std::move(removed));
}

chunk::ChunkView ChunkAt(TimestampMs time) {
  return {.min_time = time,
          .max_time = time + 1,
          .data = "x",
          .encoding = chunk::Encoding::kXor,
          .aggregate = chunk::Aggregate::kRaw};
}

Status AddOne(SeriesOrder& order, const Labels& labels, TimestampMs time = 0) {
  const chunk::ChunkView chunk = ChunkAt(time);
  return order.Add(labels, std::span(&chunk, 1), kOwner);
}

std::vector<Labels> TakeAll(SeriesOrder& order) {
  std::vector<Labels> labels;
  while (auto series = order.Take()) labels.push_back(series->labels);
  return labels;
}

TEST(SeriesOrderTest, HoldsBackTheBeginningOfOthers) {
  SeriesOrder order(Rewriting(Labels::Of({{"z", "1"}})), Mode::kStreaming, nullptr);
  ASSERT_TRUE(AddOne(order, Labels::Of({{"a", "1"}})).ok());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"a", "1"}, {"b", "1"}})).ok());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"a", "1"}, {"b", "1"}, {"c", "1"}})).ok());
  EXPECT_THAT(TakeAll(order), ElementsAre());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"a", "2"}})).ok());
  EXPECT_THAT(TakeAll(order),
              ElementsAre(Labels::Of({{"a", "1"}, {"b", "1"}, {"c", "1"}, {"z", "1"}}),
                          Labels::Of({{"a", "1"}, {"b", "1"}, {"z", "1"}}),
                          Labels::Of({{"a", "1"}, {"z", "1"}})));
  ASSERT_TRUE(order.Finish().ok());
  EXPECT_THAT(TakeAll(order), ElementsAre(Labels::Of({{"a", "2"}, {"z", "1"}})));
}

TEST(SeriesOrderTest, LetsSeriesThroughThatNothingCanPrecede) {
  SeriesOrder order(Rewriting(Labels::Of({{"b", "1"}})), Mode::kStreaming, nullptr);
  ASSERT_TRUE(AddOne(order, Labels::Of({{"a", "1"}})).ok());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"a", "1"}, {"c", "1"}})).ok());
  EXPECT_THAT(TakeAll(order), ElementsAre(Labels::Of({{"a", "1"}, {"b", "1"}})));
}

TEST(SeriesOrderTest, JoinsTheFramesOfASeries) {
  for (const Mode mode : {Mode::kStreaming, Mode::kSorting}) {
    SeriesOrder order(Rewriting(Labels::Of({{"z", "1"}})), mode, nullptr);
    const BufferOwner other = std::make_shared<int>(1);
    const chunk::ChunkView later = ChunkAt(20);
    ASSERT_TRUE(AddOne(order, Labels::Of({{"a", "1"}}), 10).ok());
    ASSERT_TRUE(order.Add(Labels::Of({{"a", "1"}}), std::span(&later, 1), other).ok());
    ASSERT_TRUE(order.Add(Labels::Of({{"b", "1"}}), {}, other).ok());  // no chunk: dropped
    ASSERT_TRUE(order.Finish().ok());
    const auto series = order.Take();
    ASSERT_TRUE(series.has_value());
    ASSERT_EQ(series->chunks.size(), 2u);
    EXPECT_EQ(series->chunks[0].min_time, 10);
    EXPECT_EQ(series->chunks[1].min_time, 20);
    EXPECT_THAT(series->owners, ElementsAre(kOwner, other));
    EXPECT_FALSE(order.Take().has_value());
  }
}

TEST(SeriesOrderTest, SortsWhatOverriddenLabelsChange) {
  SeriesOrder order(Rewriting(Labels::Of({{"b", "ext"}})), Mode::kSorting, nullptr);
  ASSERT_TRUE(AddOne(order, Labels::Of({{"b", "1"}, {"c", "2"}}), 5).ok());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"b", "2"}, {"c", "1"}})).ok());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"b", "3"}, {"c", "2"}}), 1).ok());
  ASSERT_TRUE(order.Finish().ok());
  auto first = order.Take();
  auto second = order.Take();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->labels, Labels::Of({{"b", "ext"}, {"c", "1"}}));
  EXPECT_EQ(second->labels, Labels::Of({{"b", "ext"}, {"c", "2"}}));
  ASSERT_EQ(second->chunks.size(), 2u);  // two that became equal, by time
  EXPECT_EQ(second->chunks[0].min_time, 1);
  EXPECT_FALSE(order.Take().has_value());
}

TEST(SeriesOrderTest, RemovesReplicaLabelsAndKeepsEqualsApart) {
  SeriesOrder order(
      Rewriting(Labels::Of({{"cluster", "eu"}, {"replica", "0"}}), {"replica", "inner"}),
      Mode::kSorting, nullptr);
  ASSERT_TRUE(AddOne(order, Labels::Of({{"inner", "1"}, {"x", "1"}, {"replica", "0"}})).ok());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"inner", "2"}, {"x", "0"}})).ok());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"inner", "3"}, {"x", "1"}})).ok());
  ASSERT_TRUE(order.Finish().ok());
  EXPECT_THAT(TakeAll(order), ElementsAre(Labels::Of({{"cluster", "eu"}, {"x", "0"}}),
                                          Labels::Of({{"cluster", "eu"}, {"x", "1"}}),
                                          Labels::Of({{"cluster", "eu"}, {"x", "1"}})));
}

TEST(SeriesOrderTest, SaysWhenStreamingCannotKeepTheOrder) {
  SeriesOrder order(Rewriting(Labels::Of({{"b", "ext"}})), Mode::kStreaming, nullptr);
  ASSERT_TRUE(AddOne(order, Labels::Of({{"b", "1"}, {"c", "2"}})).ok());
  ASSERT_TRUE(AddOne(order, Labels::Of({{"b", "2"}, {"c", "1"}})).ok());
  EXPECT_EQ(order.Finish().code(), StatusCode::kAborted);
}

TEST(SeriesOrderTest, ChargesWhatItKeeps) {
  auto budget = std::make_shared<MemoryBudget>("test", 10'000);
  SeriesOrder order(Rewriting(Labels::Of({{"b", "1"}})), Mode::kSorting, budget);
  Status status;
  int added = 0;
  for (; status.ok() && added < 1000; ++added) {
    status = AddOne(order, Labels::Of({{"a", std::to_string(added)}}));
  }
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_LT(added, 100);
}

// Random label sets, in every order of external names, against sorting everything.
TEST(SeriesOrderTest, StreamsInTheOrderThatSortingGives) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::vector<std::string> names = {"a", "b", "c", "d", "e", "f", "g"};
  const std::vector<std::string> values = {"0", "1"};
  for (int round = 0; round < 300; ++round) {
    // Each name belongs to the external labels or to the series; some external ones are removed.
    std::vector<model::Label> external;
    std::vector<std::string> own_names;
    std::vector<std::string> removed;
    for (const std::string& name : names) {
      if (random() % 3 != 0) {
        own_names.push_back(name);
        continue;
      }
      external.push_back({name, "ext"});
      if (random() % 3 == 0) removed.push_back(name);
    }
    const auto rewriting = Rewriting(Labels::FromUnsorted(external), removed);
    std::set<Labels> arriving;
    for (int i = 0; i < 60; ++i) {
      std::vector<model::Label> labels;
      for (const std::string& name : own_names) {
        if (random() % 2 == 0) labels.push_back({name, values[random() % 2]});
      }
      arriving.insert(Labels::FromUnsorted(labels));
    }
    // Prometheus puts the external labels on what it sends; without them it must be the same.
    const bool with_external = random() % 2 == 0;
    std::vector<Labels> expected;
    SeriesOrder order(rewriting, Mode::kStreaming, nullptr);
    std::vector<Labels> got;
    for (const Labels& labels : arriving) {
      expected.push_back(rewriting->Apply(labels));
      model::LabelsBuilder builder(labels);
      if (with_external) {
        for (const model::Label& label : external) builder.Set(label.name, label.value);
      }
      const Status status = AddOne(order, builder.Build());
      ASSERT_TRUE(status.ok()) << status;
      for (const Labels& taken : TakeAll(order)) got.push_back(taken);
    }
    ASSERT_TRUE(order.Finish().ok());
    for (const Labels& taken : TakeAll(order)) got.push_back(taken);
    std::sort(expected.begin(), expected.end());
    ASSERT_THAT(got, ElementsAreArray(expected));
  }
}

}  // namespace
}  // namespace aevum::sidecar
