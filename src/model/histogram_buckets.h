// The buckets of a native histogram with their bounds.
#pragma once

#include <cstddef>
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

// The buckets of AllBuckets, whose bounds are calculated for those that are looked at only. Borrows
// the histogram.
class BucketSequence {
 public:
  explicit BucketSequence(const FloatHistogram& histogram);

  std::size_t size() const { return negative_ + zero_ + positive_; }
  double Count(std::size_t i) const {
    if (i < negative_) return histogram_.negative_buckets[negative_ - 1 - i];
    if (i < negative_ + zero_) return histogram_.zero_count;
    return histogram_.positive_buckets[i - negative_ - zero_];
  }
  HistogramBucket operator[](std::size_t i) const;

 private:
  const FloatHistogram& histogram_;
  std::size_t negative_;  // buckets
  std::size_t zero_;
  std::size_t positive_;
};

// The fraction of a bucket that lies at or below `value`, which must be strictly inside its finite
// bounds: linear, or linear in the logarithm.
enum class Interpolation : std::uint8_t { kLinear, kExponential };
double FractionBelow(const HistogramBucket& bucket, double value, Interpolation interpolation);

}  // namespace aevum::model
