#include "promql/functions/native_histograms.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "model/histogram_buckets.h"
#include "model/logarithm.h"
#include "promql/engine/kahan.h"
#include "promql/printer.h"

namespace aevum::promql::functions {
namespace {

using model::FloatHistogram;
using model::HistogramBucket;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A bucket around zero ends at zero when there are no observations on its other side.
void EndAtZero(const FloatHistogram& histogram, HistogramBucket* bucket) {
  const bool positive = !histogram.positive_buckets.empty();
  const bool negative = !histogram.negative_buckets.empty();
  if (positive && !negative) bucket->lower = 0;
  if (negative && !positive) bucket->upper = 0;
}

double WithinBucket(const FloatHistogram& histogram, const HistogramBucket& bucket,
                    double fraction) {
  if (histogram.uses_custom_buckets() || (bucket.lower <= 0 && bucket.upper >= 0))
    return bucket.lower + (bucket.upper - bucket.lower) * fraction;
  const double log_lower = model::Log2(std::abs(bucket.lower));
  const double log_upper = model::Log2(std::abs(bucket.upper));
  if (bucket.lower > 0) return model::Exp2(log_lower + (log_upper - log_lower) * fraction);
  return -model::Exp2(log_upper + (log_lower - log_upper) * (1 - fraction));
}

}  // namespace

NativeResult NativeQuantile(double rank_of_one, const FloatHistogram& histogram) {
  if (rank_of_one < 0) return {-kInfinity};
  if (rank_of_one > 1) return {kInfinity};
  if (histogram.count == 0 || std::isnan(rank_of_one)) return {kNan};
  // From the nearer end; from below when NaNs may be counted that are in no bucket.
  const bool nan_sum = std::isnan(histogram.sum);
  const bool forward = nan_sum || rank_of_one < 0.5;
  double rank = (forward ? rank_of_one : 1 - rank_of_one) * histogram.count;
  const model::BucketSequence buckets(histogram);
  const std::size_t size = buckets.size();
  double count = 0;
  std::size_t next = 0;
  while (next < size) {
    const std::size_t at = next++;
    const double in_bucket = buckets.Count(forward ? at : size - 1 - at);
    if (in_bucket == 0) continue;
    count += in_bucket;
    if (count >= rank) break;
  }
  HistogramBucket bucket;
  if (next > 0) bucket = buckets[forward ? next - 1 : size - next];
  if (histogram.uses_custom_buckets()) {
    if (bucket.lower == -kInfinity) {
      if (bucket.upper <= 0) return {bucket.upper};
      bucket.lower = 0;
    } else if (bucket.upper == kInfinity) {
      return {bucket.lower};
    }
  } else if (bucket.lower < 0 && bucket.upper > 0) {
    EndAtZero(histogram, &bucket);
  }
  // Rounding may have added up more than there is.
  count = count > histogram.count ? histogram.count : count;
  if (count < rank) {
    if (nan_sum) return {kNan, NanNote::kResultIsNan};
    return {bucket.upper};
  }
  if (forward) {
    rank -= count - bucket.count;
  } else {
    rank = count - rank;
  }
  NativeResult result;
  if (nan_sum) {
    // The reference divides by the count of the last bucket that it looks at here, and
    // interpolates between its bounds.
    if (next < size) bucket = buckets[size - 1];
    for (; next < size; ++next) count += buckets.Count(next);
    if (count < histogram.count) result.note = NanNote::kSkewed;
  }
  result.value = WithinBucket(histogram, bucket, rank / bucket.count);
  return result;
}

NativeResult NativeFraction(double lower, double upper, const FloatHistogram& histogram) {
  if (histogram.count == 0 || std::isnan(lower) || std::isnan(upper)) return {kNan};
  if (lower >= upper) return {0};
  double count = 0;
  double rank = 0;
  double lower_rank = 0;
  double upper_rank = 0;
  bool lower_set = false;
  bool upper_set = false;
  const std::vector<HistogramBucket> buckets = model::AllBuckets(histogram);
  std::size_t next = 0;
  while (next < buckets.size()) {
    HistogramBucket bucket = buckets[next++];
    count += bucket.count;
    const bool zero = bucket.lower <= 0 && bucket.upper >= 0;
    if (zero) EndAtZero(histogram, &bucket);
    const auto below = [&](double value) {
      if (!zero && !histogram.uses_custom_buckets()) {
        return rank + bucket.count *
                          model::FractionBelow(bucket, value, model::Interpolation::kExponential);
      }
      // Nothing is known about where in an endless bucket observations are.
      if (bucket.lower == -kInfinity) return bucket.count;
      return rank +
             bucket.count * model::FractionBelow(bucket, value, model::Interpolation::kLinear);
    };
    const auto place = [&](double value, double* at, bool* set) {
      if (!*set && bucket.lower >= value) {
        *at = rank;
        *set = true;
      } else if (!*set && bucket.upper > value) {
        *at = below(value);
        *set = true;
      }
    };
    place(lower, &lower_rank, &lower_set);
    place(upper, &upper_rank, &upper_set);
    if (lower_set && upper_set) break;
    rank += bucket.count;
  }
  NativeResult result;
  if (std::isnan(histogram.sum)) {
    for (; next < buckets.size(); ++next) count += buckets[next].count;
    if (count < histogram.count) result.note = NanNote::kExcluded;
  } else {
    count = histogram.count;
  }
  if (!lower_set || lower_rank > count) lower_rank = count;
  if (!upper_set || upper_rank > count) upper_rank = count;
  result.value = (upper_rank - lower_rank) / histogram.count;
  return result;
}

double NativeVariance(const FloatHistogram& histogram) {
  const double mean = histogram.sum / histogram.count;
  KahanSum variance;
  for (const HistogramBucket& bucket : model::AllBuckets(histogram)) {
    if (bucket.count == 0) continue;
    double value = 0;
    if (histogram.uses_custom_buckets()) {
      value = (bucket.upper + bucket.lower) / 2.0;
    } else if (!(bucket.lower <= 0 && bucket.upper >= 0)) {
      value = std::sqrt(bucket.upper * bucket.lower);
      if (bucket.upper < 0) value = -value;
    }
    const double delta = value - mean;
    variance.Add(bucket.count * delta * delta);
  }
  return (variance.sum + variance.compensation) / histogram.count;
}

std::string NativeText(const FloatHistogram& histogram) {
  std::string text =
      fmt::format("{{count:{}, sum:{}", FormatShort(histogram.count), FormatShort(histogram.sum));
  const auto append = [&](const HistogramBucket& bucket) {
    if (bucket.count == 0) return;
    text += fmt::format(", {}{},{}{}:{}", bucket.lower_inclusive ? '[' : '(',
                        FormatShort(bucket.lower), FormatShort(bucket.upper),
                        bucket.upper_inclusive ? ']' : ')', FormatShort(bucket.count));
  };
  std::vector<HistogramBucket> negative = model::NegativeBuckets(histogram);
  std::reverse(negative.begin(), negative.end());
  for (const HistogramBucket& bucket : negative) append(bucket);
  append({.lower = -histogram.zero_threshold,
          .upper = histogram.zero_threshold,
          .count = histogram.zero_count,
          .lower_inclusive = true,
          .upper_inclusive = true});
  for (const HistogramBucket& bucket : model::PositiveBuckets(histogram)) append(bucket);
  return text + "}";
}

}  // namespace aevum::promql::functions
