// The buckets of a native histogram with their bounds.
#pragma once

#include <cstdint>
#include <vector>

#include "model/histogram.h"

namespace aevum::model {

struct HistogramBucket {
  double lower = 0;
  double upper = 0;
  double count = 0;
  bool lower_inclusive = false;
  bool upper_inclusive = false;
};

// The upper bound of a positive bucket of an exponential schema, -4 .. 8.
double ExponentialBound(std::int32_t index, std::int32_t schema);

// The positive or the negative buckets in the order of their indices, as they are stored.
std::vector<HistogramBucket> PositiveBuckets(const FloatHistogram& histogram);
std::vector<HistogramBucket> NegativeBuckets(const FloatHistogram& histogram);

// All buckets in ascending order, empty ones included, with the zero bucket when it holds
// something. Bounds end where the zero bucket begins.
std::vector<HistogramBucket> AllBuckets(const FloatHistogram& histogram);

// The fraction of a bucket that lies at or below `value`, which must be strictly inside its finite
// bounds: linear, or linear in the logarithm.
enum class Interpolation : std::uint8_t { kLinear, kExponential };
double FractionBelow(const HistogramBucket& bucket, double value, Interpolation interpolation);

}  // namespace aevum::model
