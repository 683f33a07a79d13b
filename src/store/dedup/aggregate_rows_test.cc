#include "store/dedup/aggregate_rows.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aevum::store::dedup {
namespace {

using chunk::Columns;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr TimestampMs kWindow = 300'000;

// A value for each window from the first on; below zero: none.
Columns Windows(const std::vector<double>& values) {
  Columns columns;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0) continue;
    columns.times.push_back(static_cast<TimestampMs>(i + 1) * kWindow - 1);
    columns.values.push_back(values[i]);
  }
  return columns;
}

struct Case {
  std::string name;
  std::vector<std::vector<double>> totals;
  std::vector<std::vector<double>> counts;
  std::vector<double> output;
};

TEST(AggregateRowsTest, TotalsGoOnWhereRowsChange) {
  const Case cases[] = {
      {"the last window of a row is not whole",
       {{100, 116}, {100, 120, 140}},
       {{20, 16}, {19, 20, 20}},
       {100, 116, 140}},
      {"the other row was away before the change",
       {{100, 120, 140, 160}, {100, 120, -1, -1, 180}},
       {{20, 20, 20, 20}, {19, 19, 0, 0, 20}},
       {100, 120, 140, 160, 180}},
      {"only one row saw a reset",
       {{1000, 1010}, {-1, 10, 20, 30}},
       {{20, 20}, {0, 20, 20, 20}},
       {1000, 1010, 1020, 1030}},
      {"and is gone before the other begins",
       {{1000, 1010}, {-1, -1, 20, 30}},
       {{20, 20}, {0, 0, 20, 20}},
       {1000, 1010, 1010, 1020}},
      {"a row that is behind holds the total",
       {{100, 120}, {100, 119, 119, 139}},
       {{20, 20}, {19, 19, 20, 20}},
       {100, 120, 120, 140}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::vector<Columns> values;
    std::vector<Columns> counts;
    for (const std::vector<double>& row : c.totals) values.push_back(Windows(row));
    for (const std::vector<double>& row : c.counts) counts.push_back(Windows(row));
    std::vector<AggregateRow> rows;
    for (std::size_t r = 0; r < values.size(); ++r) {
      rows.push_back({.values = &values[r], .counts = &counts[r]});
    }
    for (int order = 0; order < 2; ++order) {
      Columns out;
      MergeAggregates(rows, kWindow, Totals::kYes, &out);
      EXPECT_THAT(out.values, ElementsAreArray(c.output));
      std::reverse(rows.begin(), rows.end());
    }
  }
}

TEST(AggregateRowsTest, OneChoiceAWindow) {
  const Columns maxima[] = {Windows({5, 6, 7, 8}), Windows({4, 9, 9, 9})};
  const Columns counts[] = {Windows({20, 16, 14, 20}), Windows({19, 20, 20, 16})};
  const AggregateRow rows[] = {{.values = &maxima[0], .counts = &counts[0]},
                               {.values = &maxima[1], .counts = &counts[1]}};
  Columns out;
  MergeAggregates(rows, kWindow, Totals::kNo, &out);
  EXPECT_THAT(out.values, ElementsAre(5, 6, 9, 9));
}

}  // namespace
}  // namespace aevum::store::dedup
