// Quantiles and fractions of classic histograms.
#pragma once

#include <limits>
#include <vector>

namespace aevum::promql::functions {

// The series of a classic histogram at one moment: observations up to a bound.
struct Bucket {
  double upper_bound = 0;
  double count = 0;
};

struct BucketQuantile {
  double value = 0;
  // Counts that went down from one bucket to the next were raised; between which bounds, and by
  // how much at most.
  bool forced_monotonic = false;
  double lowest_forced = std::numeric_limits<double>::infinity();
  double highest_forced = -std::numeric_limits<double>::infinity();
  double largest_difference = 0;
};

// histogram_quantile of Prometheus 3.14 over cumulative buckets, at least one, in any order, which
// are sorted and merged in place. Interpolates linearly inside a bucket; the lowest starts at 0
// when its bound is above. NaN without observations, without a +Inf bucket, with one bucket only,
// or for NaN; -Inf and +Inf for quantiles below 0 and above 1.
BucketQuantile QuantileOfBuckets(double quantile, std::vector<Bucket>* buckets);

// histogram_fraction over such buckets: the share of observations between two bounds.
double FractionOfBuckets(double lower, double upper, std::vector<Bucket>* buckets);

}  // namespace aevum::promql::functions
