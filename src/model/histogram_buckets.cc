#include "model/histogram_buckets.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/exponential_bounds.h"
#include "model/logarithm.h"

namespace aevum::model {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A bound of custom buckets; those that a damaged histogram has too many of have none.
double CustomBound(std::int32_t index, const std::vector<double>& bounds) {
  if (index < 0) return -kInfinity;
  const auto i = static_cast<std::size_t>(index);
  return i < bounds.size() ? bounds[i] : kInfinity;
}

double BoundOf(std::int32_t index, const FloatHistogram& histogram) {
  return histogram.uses_custom_buckets() ? CustomBound(index, histogram.custom_values)
                                         : ExponentialBound(index, histogram.schema);
}

enum class Side : std::uint8_t { kPositive, kNegative };

HistogramBucket BucketAt(const FloatHistogram& histogram, Side side, std::int64_t index,
                         double count) {
  const bool positive = side == Side::kPositive;
  const bool custom = histogram.uses_custom_buckets();
  const double outer = BoundOf(static_cast<std::int32_t>(index), histogram);
  const double inner = BoundOf(static_cast<std::int32_t>(index - 1), histogram);
  HistogramBucket bucket{
      .lower = positive ? inner : -outer, .upper = positive ? outer : -inner, .count = count};
  bucket.lower_inclusive = custom ? index == 0 : bucket.lower < 0;
  bucket.upper_inclusive = custom || bucket.upper > 0;
  return bucket;
}

std::vector<HistogramBucket> BucketsOf(const FloatHistogram& histogram, Side side) {
  const bool positive = side == Side::kPositive;
  const std::vector<Span>& spans = positive ? histogram.positive_spans : histogram.negative_spans;
  const std::vector<double>& counts =
      positive ? histogram.positive_buckets : histogram.negative_buckets;
  std::vector<HistogramBucket> buckets;
  buckets.reserve(counts.size());
  // Wide, since the offsets of damaged spans may add up to anything.
  std::int64_t index = 0;
  for (const Span& span : spans) {
    index += span.offset;
    for (std::uint32_t i = 0; i < span.length && buckets.size() < counts.size(); ++i, ++index) {
      buckets.push_back(BucketAt(histogram, side, index, counts[buckets.size()]));
    }
  }
  return buckets;
}

// As many as both spans and counts describe.
std::size_t BucketsIn(const std::vector<Span>& spans, const std::vector<double>& counts) {
  std::size_t buckets = 0;
  for (const Span& span : spans) buckets += span.length;
  return std::min(buckets, counts.size());
}

// The index of a bucket by its position, which must be there.
std::int64_t IndexOf(const std::vector<Span>& spans, std::size_t position) {
  std::int64_t index = 0;
  for (const Span& span : spans) {
    index += span.offset;
    if (position < span.length) return index + static_cast<std::int64_t>(position);
    position -= span.length;
    index += span.length;
  }
  return index;
}

void KeepOutOfZeroBucket(double threshold, HistogramBucket* bucket) {
  if (bucket->upper < 0 && bucket->upper > -threshold) {
    bucket->upper = -threshold;
  } else if (bucket->lower > 0 && bucket->lower < threshold) {
    bucket->lower = threshold;
  }
}

}  // namespace

double ExponentialBound(std::int32_t index, std::int32_t schema) {
  // The last bucket of finite numbers ends at the greatest of them.
  constexpr int kBeyondFinite = 1024;
  if (schema < 0) {
    const std::int64_t exponent = std::int64_t{index} * (std::int64_t{1} << -std::max(schema, -16));
    if (exponent == kBeyondFinite) return std::numeric_limits<double>::max();
    return std::ldexp(1.0, static_cast<int>(std::clamp<std::int64_t>(exponent, -5000, 5000)));
  }
  const int shift = std::min(schema, 8);
  const std::int32_t within = index & ((1 << shift) - 1);
  const double fraction = kExponentialBounds[static_cast<std::size_t>(within) << (8 - shift)];
  const int exponent = (index >> shift) + 1;
  if (fraction == 0.5 && exponent == kBeyondFinite + 1) return std::numeric_limits<double>::max();
  return std::ldexp(fraction, exponent);
}

std::vector<HistogramBucket> PositiveBuckets(const FloatHistogram& histogram) {
  return BucketsOf(histogram, Side::kPositive);
}

std::vector<HistogramBucket> NegativeBuckets(const FloatHistogram& histogram) {
  return BucketsOf(histogram, Side::kNegative);
}

std::vector<HistogramBucket> AllBuckets(const FloatHistogram& histogram) {
  std::vector<HistogramBucket> buckets;
  if (!histogram.uses_custom_buckets()) {
    buckets = NegativeBuckets(histogram);
    std::reverse(buckets.begin(), buckets.end());
  }
  if (histogram.zero_count > 0) {
    buckets.push_back({.lower = -histogram.zero_threshold,
                       .upper = histogram.zero_threshold,
                       .count = histogram.zero_count,
                       .lower_inclusive = true,
                       .upper_inclusive = true});
  }
  const std::size_t zero = buckets.size() - (histogram.zero_count > 0 ? 1 : 0);
  const std::vector<HistogramBucket> positive = PositiveBuckets(histogram);
  buckets.insert(buckets.end(), positive.begin(), positive.end());
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    if (i == zero && histogram.zero_count > 0) continue;
    KeepOutOfZeroBucket(histogram.zero_threshold, &buckets[i]);
  }
  return buckets;
}

BucketSequence::BucketSequence(const FloatHistogram& histogram)
    : histogram_(histogram),
      negative_(histogram.uses_custom_buckets()
                    ? 0
                    : BucketsIn(histogram.negative_spans, histogram.negative_buckets)),
      zero_(histogram.zero_count > 0 ? 1 : 0),
      positive_(BucketsIn(histogram.positive_spans, histogram.positive_buckets)) {}

HistogramBucket BucketSequence::operator[](std::size_t i) const {
  if (i >= negative_ && i < negative_ + zero_) {
    return {.lower = -histogram_.zero_threshold,
            .upper = histogram_.zero_threshold,
            .count = histogram_.zero_count,
            .lower_inclusive = true,
            .upper_inclusive = true};
  }
  const bool negative = i < negative_;
  const std::size_t position = negative ? negative_ - 1 - i : i - negative_ - zero_;
  HistogramBucket bucket =
      BucketAt(histogram_, negative ? Side::kNegative : Side::kPositive,
               IndexOf(negative ? histogram_.negative_spans : histogram_.positive_spans, position),
               Count(i));
  KeepOutOfZeroBucket(histogram_.zero_threshold, &bucket);
  return bucket;
}

double FractionBelow(const HistogramBucket& bucket, double value, Interpolation interpolation) {
  if (interpolation == Interpolation::kLinear)
    return (value - bucket.lower) / (bucket.upper - bucket.lower);
  const double log_lower = Log2(std::abs(bucket.lower));
  const double log_upper = Log2(std::abs(bucket.upper));
  const double log_value = Log2(std::abs(value));
  if (value > 0) return (log_value - log_lower) / (log_upper - log_lower);
  return 1 - ((log_value - log_upper) / (log_lower - log_upper));
}

}  // namespace aevum::model
