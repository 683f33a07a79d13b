#include "promql/functions/bucket_quantile.h"

#include <algorithm>
#include <cmath>

namespace aevum::promql::functions {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Adds up the counts of equal bounds; sorted by bound.
void MergeEqualBounds(std::vector<Bucket>* buckets) {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < buckets->size(); ++i) {
    if ((*buckets)[i].upper_bound == (*buckets)[kept].upper_bound) {
      (*buckets)[kept].count += (*buckets)[i].count;
    } else {
      (*buckets)[++kept] = (*buckets)[i];
    }
  }
  buckets->resize(kept + 1);
}

// Differences that only come from rounding; the bound is the reference's.
bool IsRounding(double a, double b) {
  constexpr double kTolerance = 1e-12;
  if (std::isnan(a) && std::isnan(b)) return true;
  const double difference = std::abs(a - b);
  const double size = std::abs(a) + std::abs(b);
  constexpr double kSmallest = std::numeric_limits<double>::min();
  if (a == 0 || b == 0 || size < kSmallest) return difference < kTolerance * kSmallest;
  return difference / std::min(size, std::numeric_limits<double>::max()) < kTolerance;
}

// Makes the counts never go down.
void ForceMonotonic(std::vector<Bucket>* buckets, BucketQuantile* result) {
  double highest = buckets->front().count;
  for (std::size_t i = 1; i < buckets->size(); ++i) {
    Bucket& bucket = (*buckets)[i];
    if (bucket.count == highest) continue;
    if (IsRounding(highest, bucket.count)) {
      bucket.count = highest;
    } else if (bucket.count < highest) {
      result->forced_monotonic = true;
      result->lowest_forced = std::min(result->lowest_forced, bucket.upper_bound);
      result->highest_forced = std::max(result->highest_forced, bucket.upper_bound);
      result->largest_difference = std::max(result->largest_difference, highest - bucket.count);
      bucket.count = highest;
    } else {
      highest = bucket.count;
    }
  }
}

// Sorted, monotonic, two at least, the last one +Inf.
double Interpolate(double quantile, const std::vector<Bucket>& buckets) {
  const double observations = buckets.back().count;
  if (observations == 0) return kNan;
  const double rank = quantile * observations;
  const auto last = buckets.end() - 1;
  const auto bucket = std::partition_point(buckets.begin(), last,
                                           [&](const Bucket& b) { return !(b.count >= rank); });
  // Nothing is known about where observations above the last bound are.
  if (bucket == last) return (last - 1)->upper_bound;
  if (bucket == buckets.begin()) {
    if (bucket->upper_bound <= 0) return bucket->upper_bound;
    return 0 + bucket->upper_bound * (rank / bucket->count);  // never -0
  }
  const Bucket& below = *(bucket - 1);
  const double share = (rank - below.count) / (bucket->count - below.count);
  return below.upper_bound + (bucket->upper_bound - below.upper_bound) * share;
}

}  // namespace

BucketQuantile QuantileOfBuckets(double quantile, std::vector<Bucket>* buckets) {
  BucketQuantile result;
  if (std::isnan(quantile) || quantile < 0 || quantile > 1) {
    result.value = std::isnan(quantile) ? kNan : quantile < 0 ? -kInfinity : kInfinity;
    return result;
  }
  std::sort(buckets->begin(), buckets->end(),
            [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; });
  if (buckets->back().upper_bound != kInfinity) {
    result.value = kNan;
    return result;
  }
  MergeEqualBounds(buckets);
  ForceMonotonic(buckets, &result);
  result.value = buckets->size() < 2 ? kNan : Interpolate(quantile, *buckets);
  return result;
}

double FractionOfBuckets(double lower, double upper, std::vector<Bucket>* buckets) {
  std::sort(buckets->begin(), buckets->end(),
            [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; });
  if (buckets->back().upper_bound != kInfinity) return kNan;
  MergeEqualBounds(buckets);
  const double count = buckets->back().count;
  if (count == 0 || std::isnan(lower) || std::isnan(upper)) return kNan;
  if (lower >= upper) return 0;
  double rank = 0;
  double lower_rank = count;
  double upper_rank = count;
  bool lower_set = false;
  bool upper_set = false;
  double start = buckets->front().upper_bound <= 0 ? -kInfinity : 0;
  for (const Bucket& bucket : *buckets) {
    const auto place = [&](double value, double* at, bool* set) {
      if (*set) return;
      if (start >= value) {
        *at = rank;
        *set = true;
      } else if (bucket.upper_bound > value) {
        // Nothing is known about where in an endless bucket observations are.
        *at = start == -kInfinity
                  ? bucket.count
                  : rank + (bucket.count - rank) * (value - start) / (bucket.upper_bound - start);
        *set = true;
      }
    };
    place(lower, &lower_rank, &lower_set);
    place(upper, &upper_rank, &upper_set);
    if (lower_set && upper_set) break;
    rank = bucket.count;
    start = bucket.upper_bound;
  }
  if (lower_rank > count) lower_rank = count;
  if (upper_rank > count) upper_rank = count;
  return (upper_rank - lower_rank) / count;
}

}  // namespace aevum::promql::functions
