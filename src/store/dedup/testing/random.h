// Draws that are the same with every standard library, whose distributions differ.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

#include "base/clock.h"

namespace aevum::store::dedup::testing {

using Random = std::mt19937_64;

inline double Uniform(Random& random, double from, double to) {
  return from + (to - from) * static_cast<double>(random() >> 11) * 0x1.0p-53;
}

// 0 .. n-1; 0 where n is not positive.
inline TimestampMs Below(Random& random, TimestampMs n) {
  return n <= 0 ? 0 : static_cast<TimestampMs>(random() % static_cast<std::uint64_t>(n));
}

inline bool Chance(Random& random, double p) { return Uniform(random, 0, 1) < p; }

// With mean 0 and standard deviation 1.
inline double Normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - Uniform(random, 0, 1)));
  return radius * std::cos(2 * std::numbers::pi * Uniform(random, 0, 1));
}

// How many of the events that happen at a rate fall into one unit of time.
inline double Poisson(Random& random, double mean) {
  if (mean > 30) return std::max(0.0, std::round(mean + std::sqrt(mean) * Normal(random)));
  double product = Uniform(random, 0, 1);
  double count = 0;
  for (const double least = std::exp(-mean); product > least; count += 1) {
    product *= Uniform(random, 0, 1);
  }
  return count;
}

// Even in the logarithm.
inline double LogUniform(Random& random, double from, double to) {
  return std::exp(Uniform(random, std::log(from), std::log(to)));
}

}  // namespace aevum::store::dedup::testing
