#include "promql/engine/row_kernels.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "chunk/chunk.h"

namespace aevum::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void ExpectSameBits(double actual, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(actual)) << actual;
  } else {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(actual), std::bit_cast<std::uint64_t>(expected))
        << actual << " instead of " << expected;
  }
}

// Values of very different sizes, with zeros of both signs, infinities and NaN among them.
double AnyValue(std::mt19937_64& random) {
  switch (random() % 24) {
    case 0:
      return kInfinity;
    case 1:
      return -kInfinity;
    case 2:
      return kNan;
    case 3:
      return -0.0;
    case 4:
      return 0;
    case 5:
      return 1.7e308;
    default: {
      const double mantissa = std::uniform_real_distribution<>(-1, 1)(random);
      return std::ldexp(mantissa, static_cast<int>(random() % 120) - 60);
    }
  }
}

// The sum as one adds it up step by step.
struct PlainSum {
  bool seen = false;
  double sum = 0;
  double compensation = 0;

  void Add(double value) {
    if (!seen) {
      seen = true;
      sum = value;
      return;
    }
    const double total = sum + value;
    if (std::isinf(total)) {
      compensation = 0;
    } else if (std::abs(sum) >= std::abs(value)) {
      compensation += (sum - total) + value;
    } else {
      compensation += (value - total) + sum;
    }
    sum = total;
  }
};

TEST(RowKernelsTest, AddsLikeOneValueAfterTheOther) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (const std::size_t steps : {1, 2, 7, 8, 9, 16, 61, 64, 200}) {
    SCOPED_TRACE(steps);
    for (int run = 0; run < 20; ++run) {
      const unsigned absent_one_in = 1 + static_cast<unsigned>(random() % 6);
      std::vector<double> sums(steps, kEmptySum);
      std::vector<double> compensations(steps, 0);
      std::vector<PlainSum> plain(steps);
      for (int row = 0; row < 12; ++row) {
        std::vector<double> values(steps);
        std::vector<std::uint8_t> present(steps);
        for (std::size_t k = 0; k < steps; ++k) {
          values[k] = AnyValue(random);
          present[k] = row % 3 == 0 || random() % absent_one_in != 0 ? 1 : 0;
          if (present[k] != 0) plain[k].Add(values[k]);
        }
        AddCompensated(steps, values.data(), present.data(), sums.data(), compensations.data());
      }
      for (std::size_t k = 0; k < steps; ++k) {
        if (!plain[k].seen) continue;
        ExpectSameBits(sums[k] + compensations[k], plain[k].sum + plain[k].compensation);
      }
    }
  }
}

TEST(RowKernelsTest, KeepsWhatRoundingLoses) {
  const double values[] = {1, 1e100, 1, -1e100};
  const std::uint8_t present = 1;
  double sum = kEmptySum;
  double compensation = 0;
  for (const double value : values) AddCompensated(1, &value, &present, &sum, &compensation);
  EXPECT_EQ(sum + compensation, 2);
}

TEST(RowKernelsTest, KeepsTheSignOfZero) {
  const double value = -0.0;
  const std::uint8_t present = 1;
  double sum = kEmptySum;
  double compensation = 0;
  AddCompensated(1, &value, &present, &sum, &compensation);
  EXPECT_TRUE(std::signbit(sum));
}

// Prometheus's formula for one window.
double PlainExtrapolation(double to_start, double to_end, double span, double gaps, double first,
                          double gained, Slope slope, double divisor) {
  double start = to_start / 1000;
  double end = to_end / 1000;
  const double sampled = span / 1000;
  const double average = sampled / gaps;
  const double threshold = average * 1.1;
  if (start >= threshold) start = average / 2;
  if (slope == Slope::kCounter) {
    double zero = start;
    if (gained > 0 && first >= 0) zero = sampled * (first / gained);
    if (zero < start) start = zero;
  }
  if (end >= threshold) end = average / 2;
  double factor = (sampled + start + end) / sampled;
  factor /= divisor;
  return gained * factor;
}

TEST(RowKernelsTest, ExtrapolatesLikeTheFormula) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (const std::size_t steps : {1, 3, 4, 5, 8, 17, 300}) {
    for (const Slope slope : {Slope::kGauge, Slope::kCounter}) {
      SCOPED_TRACE(steps);
      std::vector<double> to_start, to_end, span, gaps, first, gained;
      for (std::size_t k = 0; k < steps; ++k) {
        to_start.push_back(static_cast<double>(random() % 60'000));
        to_end.push_back(static_cast<double>(random() % 60'000));
        span.push_back(static_cast<double>(1 + random() % 300'000));
        gaps.push_back(static_cast<double>(1 + random() % 30));
        first.push_back(AnyValue(random));
        gained.push_back(AnyValue(random));
      }
      std::vector<double> actual = gained;
      std::vector<double> seconds(steps), start(steps), end(steps), factor(steps);
      const Extrapolation prepared{.span = seconds.data(),
                                   .start = start.data(),
                                   .end = end.data(),
                                   .factor = factor.data()};
      PrepareExtrapolation(steps,
                           {.to_start = to_start.data(),
                            .to_end = to_end.data(),
                            .span = span.data(),
                            .gaps = gaps.data()},
                           300, prepared);
      Extrapolate(steps, prepared, 300, slope, first.data(), actual.data());
      for (std::size_t k = 0; k < steps; ++k) {
        ExpectSameBits(actual[k], PlainExtrapolation(to_start[k], to_end[k], span[k], gaps[k],
                                                     first[k], gained[k], slope, 300));
      }
    }
  }
}

TEST(RowKernelsTest, SeesEveryDecrease) {
  for (std::size_t size = 0; size < 40; ++size) {
    SCOPED_TRACE(size);
    std::vector<double> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<double>(i);
    EXPECT_FALSE(AnyDecrease(values));
    for (std::size_t i = 1; i < size; ++i) {
      std::vector<double> one = values;
      one[i - 1] = 1e9;
      EXPECT_TRUE(AnyDecrease(one)) << i;
      one[i - 1] = kNan;
      EXPECT_FALSE(AnyDecrease(one)) << i;
    }
  }
}

TEST(RowKernelsTest, SeesEveryStalenessMarker) {
  for (std::size_t size = 0; size < 40; ++size) {
    SCOPED_TRACE(size);
    // Another NaN is none.
    const std::vector<double> values(size, kNan);
    EXPECT_FALSE(AnyStale(values));
    for (std::size_t i = 0; i < size; ++i) {
      std::vector<double> one = values;
      one[i] = std::bit_cast<double>(chunk::kStaleNanBits);
      EXPECT_TRUE(AnyStale(one)) << i;
    }
  }
}

}  // namespace
}  // namespace aevum::promql
