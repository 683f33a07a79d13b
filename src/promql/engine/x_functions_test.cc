#include "promql/engine/x_functions.h"

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chunk/chunk.h"
#include "promql/engine/engine.h"
#include "promql/memory_storage.h"

namespace aevum::promql {
namespace {

using ::testing::ElementsAre;
using enum XFunction;

// Columns that a window looks at.
struct Series {
  std::vector<TimestampMs> times;
  std::vector<double> values;
};

std::vector<double> ValuesIn(const XWindow& window) {
  std::vector<double> values;
  for (const XWindow::Sample& sample : window.samples()) values.push_back(sample.value);
  return values;
}

// 1, 5, 10, 20 at 0 s, 10 s, 20 s, 30 s, then 40 at 50 s.
const Series kGap = {{0, 10'000, 20'000, 30'000, 50'000}, {1, 5, 10, 20, 40}};

TEST(XWindowTest, HasTheLastSampleBefore) {
  XWindow window;
  window.Begin(kGap.times, kGap.values);
  window.MoveTo(-10'000, 0);
  EXPECT_THAT(ValuesIn(window), ElementsAre(1));
  window.MoveTo(0, 10'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(1, 5));
  window.MoveTo(10'000, 20'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(5, 10));
  window.MoveTo(30'000, 40'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(10)) << "30 s was read ahead, and is not after 30 s";
  window.MoveTo(40'000, 50'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(10, 40));
  EXPECT_EQ(window.appeared(), 0);
}

TEST(XWindowTest, FirstWindowSkipsToTheLastSampleBefore) {
  XWindow window;
  window.Begin(kGap.times, kGap.values);
  window.MoveTo(25'000, 45'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(10, 20));
  EXPECT_EQ(window.appeared(), 0) << "of all that was read";
}

TEST(XWindowTest, SampleBeforeIsAtMostAnHourOld) {
  const Series series = {{0, 10'000'000}, {1, 2}};
  XWindow window;
  window.Begin(series.times, series.values);
  window.MoveTo(0, 1'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(1));
  window.MoveTo(kXLookbackMs - 1, kXLookbackMs);
  EXPECT_THAT(ValuesIn(window), ElementsAre(1));
  window.MoveTo(kXLookbackMs, kXLookbackMs + 1);
  EXPECT_THAT(ValuesIn(window), ElementsAre());
  window.MoveTo(9'000'000, 10'000'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(2));
}

TEST(XWindowTest, SampleOneMillisecondLaterIsLost) {
  const Series series = {{1'000, 2'000, 2'001, 2'003}, {1, 2, 3, 4}};
  XWindow window;
  window.Begin(series.times, series.values);
  window.MoveTo(0, 2'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(1, 2));
  window.MoveTo(1, 2'003);
  EXPECT_THAT(ValuesIn(window), ElementsAre(1, 2, 4)) << "2,001 was read ahead and lost";
}

TEST(XWindowTest, StalenessMarkersAreNoSamples) {
  const double stale = std::bit_cast<double>(chunk::kStaleNanBits);
  const Series series = {{1'000, 2'000, 3'000, 4'000}, {stale, 5, stale, 6}};
  XWindow window;
  window.Begin(series.times, series.values);
  window.MoveTo(0, 4'000);
  EXPECT_THAT(ValuesIn(window), ElementsAre(5, 6));
  EXPECT_EQ(window.appeared(), 2'000);
}

TEST(XWindowTest, ManyWindowsHoldTheSamplesOfTwo) {
  Series series;
  for (int i = 0; i < 10'000; ++i) {
    series.times.push_back(i * 1'000);
    series.values.push_back(i);
  }
  XWindow window;
  window.Begin(series.times, series.values);
  for (int i = 4; i < 10'000; ++i) {
    window.MoveTo((i - 4) * 1'000, i * 1'000);
    ASSERT_THAT(ValuesIn(window), ElementsAre(i - 4, i - 3, i - 2, i - 1, i));
  }
  EXPECT_LE(window.memory_bytes(), 64 * static_cast<std::int64_t>(sizeof(XWindow::Sample)));
}

double ValueOf(XFunction function, const Series& series, TimestampMs end, std::int64_t range_ms) {
  XWindow window;
  window.Begin(series.times, series.values);
  window.MoveTo(end - range_ms, end);
  return XValue(function, window, end, range_ms);
}

TEST(XValueTest, CounterThatAppearsBeganAtZero) {
  const Series series = {{10'000, 20'000}, {7, 7}};
  EXPECT_EQ(ValueOf(kIncrease, series, 20'000, 10'000), 7) << "10 s after it appeared";
  EXPECT_EQ(ValueOf(kIncrease, series, 20'001, 10'000), 0) << "later";
  EXPECT_EQ(ValueOf(kRate, series, 20'000, 10'000), 0);
  EXPECT_EQ(ValueOf(kDelta, series, 20'000, 10'000), 0);
  EXPECT_EQ(ValueOf(kIncrease, {{10'000, 20'000}, {7, 9}}, 20'000, 10'000), 2);
}

TEST(XValueTest, ResetsCountForCountersAlone) {
  const Series series = {{0, 10'000, 20'000, 30'000}, {4, 10, 3, 5}};
  EXPECT_EQ(ValueOf(kIncrease, series, 30'000, 30'000), 11);
  EXPECT_DOUBLE_EQ(ValueOf(kRate, series, 30'000, 30'000), 11.0 / 30);
  EXPECT_EQ(ValueOf(kDelta, series, 30'000, 30'000), 1);
}

// The range is 15 s of the 20 s between the samples around its begin and its end.
TEST(XValueTest, WhatWasGainedIsInProportionToTheRange) {
  const Series series = {{0, 10'000, 20'000}, {0, 8, 20}};
  EXPECT_EQ(ValueOf(kDelta, series, 20'000, 15'000), 15);
  EXPECT_EQ(ValueOf(kRate, series, 20'000, 15'000), 1);
  EXPECT_EQ(ValueOf(kIncrease, series, 20'000, 15'000), 20) << "never";
  EXPECT_EQ(ValueOf(kDelta, series, 30'000, 25'000), 20) << "the range ends a gap after them";
}

TEST(XValueTest, SecondsAreWhole) {
  const Series series = {{0, 2'000}, {0, 6}};
  EXPECT_EQ(ValueOf(kDelta, series, 2'000, 1'900), 3) << "of one second";
  EXPECT_EQ(ValueOf(kRate, series, 2'000, 1'900), 3);
  EXPECT_TRUE(std::isnan(ValueOf(kRate, series, 2'000, 900))) << "0 by 0 seconds";
}

TEST(XValueTest, SampleFarBeforeTheRangeIsLeftOut) {
  const Series series = {{0, 300'000, 330'000, 360'000}, {0, 100, 110, 120}};
  EXPECT_EQ(ValueOf(kDelta, series, 360'000, 75'000), 20);
  EXPECT_EQ(ValueOf(kRate, series, 360'000, 75'000), 20.0 / 75);
  EXPECT_EQ(ValueOf(kIncrease, series, 360'000, 75'000), 120) << "never";
}

class XFunctionsTest : public ::testing::Test {
 protected:
  // The samples of m{p=...}, every 5 s from 0 s on.
  void Load(std::string_view p, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      source_.Append(model::Labels::Of({{"__name__", "m"}, {"p", p}}),
                     static_cast<TimestampMs>(i) * 5'000, values[i]);
    }
  }

  std::vector<double> Instant(const std::string& query, TimestampMs time) {
    const auto result = engine_.Instant(Context::Background(), source_, query, time);
    if (!result.ok()) {
      ADD_FAILURE() << result.status();
      return {};
    }
    std::vector<double> values;
    for (std::size_t i = 0; i < result->rows.size(); ++i) {
      EXPECT_FALSE(result->rows.labels(i).Has(model::kMetricName));
      values.push_back(result->rows.values(i)[0]);
    }
    return values;
  }

  const Engine engine_{EngineOptions{.parse = {.x_functions = true}}};
  MemoryStorage source_;
};

// The same samples and answers as the tests of the Thanos engine have.
TEST_F(XFunctionsTest, InstantQueriesSeeAllSamples) {
  Load("bar", {0, 10, 20, 30, 40, 50, 0, 10, 20, 30, 40});
  Load("foo", {0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100});
  EXPECT_THAT(Instant("xincrease(m[50s])", 50'000), ElementsAre(90, 100));
  EXPECT_THAT(Instant("xincrease(m[5s])", 50'000), ElementsAre(10, 10));
  EXPECT_THAT(Instant("xincrease(m[10s])", 50'000), ElementsAre(20, 20));
  EXPECT_THAT(Instant("xincrease(m[3s])", 50'000), ElementsAre(10, 10));
  EXPECT_THAT(Instant("xincrease(m[5s])", 17'000), ElementsAre(10, 10));
  EXPECT_THAT(Instant("xincrease(m[10s])", 17'000), ElementsAre(20, 20));
  EXPECT_THAT(Instant("xrate(m[50s])", 50'000), ElementsAre(1.8, 2));
  EXPECT_THAT(Instant("xrate(m[100s])", 50'000), ElementsAre(0.9, 1));
  EXPECT_THAT(Instant("xrate(m[5s])", 50'000), ElementsAre(2, 2));
  EXPECT_THAT(Instant("xrate(m[3s])", 50'000), ElementsAre(2, 2));
  EXPECT_THAT(Instant("xrate(m[50s] @ 50 offset 0s)", 500'000), ElementsAre(1.8, 2));
}

TEST_F(XFunctionsTest, SelectBeginsAnHourBeforeTheRange) {
  source_.Append(model::Labels::Of({{"__name__", "m"}}), 1'000, 1);
  source_.Append(model::Labels::Of({{"__name__", "m"}}), 3'605'000, 3);
  EXPECT_THAT(Instant("xincrease(m[5s])", 3'605'999), ElementsAre(2)) << "1 s is in";
  EXPECT_THAT(Instant("xincrease(m[5s])", 3'606'000), ElementsAre(3)) << "1 s is out";
}

TEST_F(XFunctionsTest, HistogramsAreRefusedWhereTheyAreInReach) {
  model::FloatHistogram histogram;
  source_.AppendHistogram(model::Labels::Of({{"__name__", "m"}}), 1'000, histogram);
  source_.Append(model::Labels::Of({{"__name__", "m"}}), 3'605'000, 3);
  const auto status = [&](TimestampMs time) {
    return engine_.Instant(Context::Background(), source_, "xdelta(m[5s])", time).status();
  };
  EXPECT_EQ(status(3'605'999).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(status(3'605'999).message(),
            "native histograms are not supported in extended range functions");
  EXPECT_TRUE(status(3'606'000).ok());
  EXPECT_TRUE(status(999).ok());
}

TEST_F(XFunctionsTest, TimesAtTheEndsOfTime) {
  constexpr TimestampMs kFirst = std::numeric_limits<TimestampMs>::min();
  constexpr TimestampMs kLast = std::numeric_limits<TimestampMs>::max();
  source_.Append(model::Labels::Of({{"__name__", "m"}}), kFirst, 1);
  source_.Append(model::Labels::Of({{"__name__", "m"}}), kLast, 3);
  EXPECT_THAT(Instant("xincrease(m[5s])", kFirst), ElementsAre(1));
  EXPECT_THAT(Instant("xdelta(m[5s])", kLast), ElementsAre(0));
  EXPECT_THAT(Instant("xincrease(m[5s])", kLast), ElementsAre(3));
}

TEST_F(XFunctionsTest, SelectorsWithModifiersAreRefused) {
  const Engine engine({.parse = {.extended_range_selectors = true, .x_functions = true}});
  const auto result =
      engine.Instant(Context::Background(), source_, "xrate(m[5m] smoothed)", 1'000).status();
  EXPECT_EQ(result.message(),
            "smoothed modifier can only be used with: delta, increase, rate - not with xrate");
}

TEST_F(XFunctionsTest, SubqueriesAreRefusedByName) {
  const auto result =
      engine_.Instant(Context::Background(), source_, "xrate(m[5m:1m])", 1'000).status();
  EXPECT_EQ(result.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(result.message(), "xrate is not available over subqueries");
}

}  // namespace
}  // namespace aevum::promql
