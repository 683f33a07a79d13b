// Functions over the windows of a series against plain loops over each window.
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "promql/engine/kahan.h"
#include "promql/engine/range_function.h"

namespace aevum::promql {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Plain = std::function<std::optional<double>(const std::vector<double>& window)>;

std::optional<double> PlainSum(const std::vector<double>& window) {
  KahanSum sum;
  for (const double value : window) sum.Add(value);
  return sum.Total();
}

std::optional<double> PlainMean(const std::vector<double>& window) {
  KahanMean mean;
  for (const double value : window) mean.Add(value);
  return mean.Mean();
}

std::optional<double> PlainVariance(const std::vector<double>& window) {
  double count = 0;
  KahanSum mean;
  KahanSum squares;
  for (const double value : window) {
    count += 1;
    const double delta = value - (mean.sum + mean.compensation);
    mean.Add(delta / count);
    squares.Add(delta * (value - (mean.sum + mean.compensation)));
  }
  return (squares.sum + squares.compensation) / count;
}

std::optional<double> PlainDeviation(const std::vector<double>& window) {
  return std::sqrt(*PlainVariance(window));
}

std::optional<double> PlainMax(const std::vector<double>& window) {
  double most = window[0];
  for (const double value : window) most = value > most || std::isnan(most) ? value : most;
  return most;
}

std::optional<double> PlainMin(const std::vector<double>& window) {
  double least = window[0];
  for (const double value : window) least = value < least || std::isnan(least) ? value : least;
  return least;
}

std::optional<double> PlainChanges(const std::vector<double>& window) {
  double changes = 0;
  for (std::size_t i = 1; i < window.size(); ++i) {
    const bool both_nan = std::isnan(window[i]) && std::isnan(window[i - 1]);
    changes += window[i] != window[i - 1] && !both_nan ? 1 : 0;
  }
  return changes;
}

std::optional<double> PlainResets(const std::vector<double>& window) {
  double resets = 0;
  for (std::size_t i = 1; i < window.size(); ++i) resets += window[i] < window[i - 1] ? 1 : 0;
  return resets;
}

constexpr double kSmoothing = 0.3;
constexpr double kTrend = 0.6;

std::optional<double> PlainSmoothing(const std::vector<double>& window) {
  if (window.size() < 2) return std::nullopt;
  double before = 0;
  double smoothed = window[0];
  double trend = window[1] - window[0];
  for (std::size_t i = 1; i < window.size(); ++i) {
    if (i > 1) trend = kTrend * (smoothed - before) + (1 - kTrend) * trend;
    before = smoothed;
    smoothed = kSmoothing * window[i] + (1 - kSmoothing) * (smoothed + trend);
  }
  return smoothed;
}

struct Case {
  const char* name;
  Plain plain;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {"sum_over_time", PlainSum},
      {"avg_over_time", PlainMean},
      {"stdvar_over_time", PlainVariance},
      {"stddev_over_time", PlainDeviation},
      {"max_over_time", PlainMax},
      {"min_over_time", PlainMin},
      {"changes", PlainChanges},
      {"resets", PlainResets},
      {"double_exponential_smoothing", PlainSmoothing},
      {"count_over_time", [](const auto& window) { return static_cast<double>(window.size()); }},
      {"present_over_time", [](const auto& /*window*/) { return 1.0; }},
      {"last_over_time", [](const auto& window) { return window.back(); }},
      {"first_over_time", [](const auto& window) { return window.front(); }},
  };
  return cases;
}

struct Samples {
  std::vector<TimestampMs> times;
  std::vector<double> values;
};

// How odd the values are: whole numbers, anything finite, or all that a double can be.
Samples AnySamples(std::mt19937_64& random, std::size_t size, int oddness) {
  Samples samples;
  TimestampMs time = 0;
  for (std::size_t i = 0; i < size; ++i) {
    time += 1 + static_cast<TimestampMs>(random() % (random() % 10 == 0 ? 500 : 30));
    double value = static_cast<double>(random() % 5);
    if (oddness > 0) {
      value = std::ldexp(std::uniform_real_distribution<>(-1, 1)(random),
                         static_cast<int>(random() % 100) - 50);
    }
    if (oddness > 1) {
      switch (random() % 30) {
        case 0:
          value = kNan;
          break;
        case 1:
          value = kInfinity;
          break;
        case 2:
          value = -kInfinity;
          break;
        case 3:
          value = 1.7e308;
          break;
        case 4:
          value = -0.0;
          break;
        default:
          break;
      }
    }
    samples.times.push_back(time);
    samples.values.push_back(value);
  }
  return samples;
}

std::string Shown(double value) {
  return std::isnan(value)
             ? "NaN"
             : std::to_string(value) + " " + std::to_string(std::bit_cast<std::uint64_t>(value));
}

void Check(const Case& function_case, const RangeFunction& function, const WindowSteps& steps,
           const Samples& samples, WindowScratch& scratch) {
  std::vector<double> values(steps.size);
  std::vector<std::uint8_t> present(steps.size);
  const Context context;
  DeadlineCheck deadline(context);
  ASSERT_TRUE(EvaluateWindows(function, steps, samples.times, samples.values, scratch, deadline,
                              values.data(), present.data())
                  .ok());
  for (std::size_t k = 0; k < steps.size; ++k) {
    std::vector<double> window;
    for (std::size_t i = 0; i < samples.times.size(); ++i) {
      if (samples.times[i] > steps.ends[k] - steps.range_ms && samples.times[i] <= steps.ends[k])
        window.push_back(samples.values[i]);
    }
    const std::optional<double> expected =
        window.empty() ? std::nullopt : function_case.plain(window);
    ASSERT_EQ(present[k] != 0, expected.has_value()) << "step " << k;
    ASSERT_EQ(Shown(values[k]), Shown(expected.value_or(0)))
        << "step " << k << ", window of " << window.size();
  }
}

class WindowFunctionsTest : public testing::TestWithParam<std::size_t> {};

TEST_P(WindowFunctionsTest, GivesWhatAPlainLoopGives) {
  const Case& function_case = Cases()[GetParam()];
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (const std::size_t step_count : {1, 3, 4, 5, 8, 17, 64, 130}) {
    for (int run = 0; run < 12; ++run) {
      std::vector<TimestampMs> ends;
      const auto step = static_cast<std::int64_t>(1 + random() % 60);
      for (std::size_t k = 0; k < step_count; ++k)
        ends.push_back(20 + static_cast<std::int64_t>(k) * step);
      const WindowSteps steps{.ends = ends.data(),
                              .steps = ends.data(),
                              .size = step_count,
                              .range_ms = static_cast<std::int64_t>(1 + random() % 800)};
      RangeFunction function = *FindRangeFunction(function_case.name);
      function.parameters.assign(step_count, kSmoothing);
      function.parameters2.assign(step_count, kTrend);
      // The same scratch for several series, some with the times of the one before.
      WindowScratch scratch;
      Samples samples = AnySamples(random, random() % 300, run % 3);
      Check(function_case, function, steps, samples, scratch);
      if (HasFatalFailure()) return;
      std::shuffle(samples.values.begin(), samples.values.end(), random);
      Check(function_case, function, steps, samples, scratch);
      if (HasFatalFailure()) return;
      Check(function_case, function, steps, AnySamples(random, random() % 100, run % 3), scratch);
      if (HasFatalFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Functions, WindowFunctionsTest,
                         testing::Range<std::size_t>(0, Cases().size()),
                         [](const auto& suite) { return std::string(Cases()[suite.param].name); });

}  // namespace
}  // namespace aevum::promql
