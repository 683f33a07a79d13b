#include "model/histogram_trim.h"

#include <cmath>
#include <vector>

#include "model/histogram_arithmetic.h"
#include "model/histogram_buckets.h"

namespace aevum::model {
namespace {

// What is kept of a bucket, and the value that its observations are taken to have.
struct Kept {
  double count = 0;
  double midpoint = 0;
};

struct Scale {
  bool positive;  // the side of the bucket
  bool linear;    // custom buckets
};

double FiniteOrZero(double value) { return std::isinf(value) ? 0 : value; }

double Midpoint(double lower, double upper, Scale scale) {
  if (std::isinf(lower)) {
    if (std::isinf(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (std::isinf(upper)) return lower;
  if (scale.linear) return (lower + upper) / 2;
  const double mean = std::sqrt(std::abs(lower * upper));
  return scale.positive ? mean : -mean;
}

// A bucket from -Inf: how its observations lie is only guessed when it ends above zero.
Kept KeepOfLowest(const HistogramBucket& bucket, double value, Trim trim) {
  const bool finite = !(std::isinf(bucket.upper) && bucket.upper > 0);
  if (trim == Trim::kAbove) {
    if (value >= bucket.upper) return {bucket.count, 0};
    if (value > 0 && bucket.upper > 0 && finite)
      return {bucket.count * value / bucket.upper, value / 2};
    if (bucket.upper <= 0) return {bucket.count, value};
    return {0, FiniteOrZero(bucket.upper)};
  }
  if (value <= bucket.lower) return {bucket.count, 0};
  if (value >= 0 && bucket.upper > value && finite)
    return {bucket.count * (1 - value / bucket.upper), (value + bucket.upper) / 2};
  return {0, FiniteOrZero(bucket.upper)};
}

// A bucket up to +Inf.
Kept KeepOfHighest(const HistogramBucket& bucket, double value, Trim trim) {
  if (trim == Trim::kBelow && value >= bucket.lower) return {bucket.count, value};
  return {0, FiniteOrZero(bucket.lower)};
}

// A bucket that the value lies in.
Kept KeepOfPart(const HistogramBucket& bucket, double value, Trim trim, Scale scale) {
  if (std::isinf(bucket.lower) && bucket.lower < 0) return KeepOfLowest(bucket, value, trim);
  if (std::isinf(bucket.upper) && bucket.upper > 0) return KeepOfHighest(bucket, value, trim);
  double below = 0;
  if (value >= bucket.upper) {
    below = bucket.count;
  } else if (value > bucket.lower) {
    below = bucket.count *
            FractionBelow(bucket, value,
                          scale.linear ? Interpolation::kLinear : Interpolation::kExponential);
  }
  if (trim == Trim::kAbove) return {below, Midpoint(bucket.lower, value, scale)};
  return {bucket.count - below, Midpoint(value, bucket.upper, scale)};
}

Kept KeepOfZero(double count, double lower, double upper, double value, Trim trim) {
  const bool above = trim == Trim::kAbove;
  if (value <= lower) return above ? Kept{} : Kept{count, (lower + upper) / 2};
  if (value >= upper) return above ? Kept{count, (lower + upper) / 2} : Kept{};
  if (above) return {count * ((value - lower) / (upper - lower)), (lower + value) / 2};
  return {count * ((upper - value) / (upper - lower)), (value + upper) / 2};
}

struct Totals {
  double count = 0;
  double sum = 0;
  bool changed = false;
};

// Trims one side in place; true when it had observations.
bool TrimSide(const std::vector<HistogramBucket>& buckets, double value, Trim trim, Scale scale,
              std::vector<double>* counts, Totals* totals) {
  bool any = false;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const HistogramBucket& bucket = buckets[i];
    if (bucket.count == 0) continue;
    any = true;
    const bool above = trim == Trim::kAbove;
    if (above ? bucket.upper <= value : bucket.lower >= value) {
      totals->count += bucket.count;
      totals->sum += Midpoint(bucket.lower, bucket.upper, scale) * bucket.count;
    } else if (above ? bucket.lower < value : bucket.upper > value) {
      const Kept kept = KeepOfPart(bucket, value, trim, scale);
      totals->count += kept.count;
      totals->sum += kept.midpoint * kept.count;
      if ((*counts)[i] != kept.count) {
        (*counts)[i] = kept.count;
        totals->changed = true;
      }
    } else {
      (*counts)[i] = 0;
      totals->changed = true;
    }
  }
  return any;
}

}  // namespace

void TrimBuckets(FloatHistogram* histogram, double value, Trim trim) {
  const bool linear = histogram->uses_custom_buckets();
  Totals totals;
  const bool positive = TrimSide(PositiveBuckets(*histogram), value, trim, {true, linear},
                                 &histogram->positive_buckets, &totals);
  const bool negative = TrimSide(NegativeBuckets(*histogram), value, trim, {false, linear},
                                 &histogram->negative_buckets, &totals);
  if (histogram->zero_count > 0) {
    const double lower = positive && !negative ? 0 : -histogram->zero_threshold;
    const double upper = negative && !positive ? 0 : histogram->zero_threshold;
    const Kept kept = KeepOfZero(histogram->zero_count, lower, upper, value, trim);
    totals.changed |= histogram->zero_count != kept.count;
    histogram->zero_count = kept.count;
    totals.sum += kept.midpoint * kept.count;
    totals.count += kept.count;
  }
  if (!totals.changed) return;
  histogram->count = totals.count;
  histogram->sum = totals.sum;
  Compact(histogram);
}

}  // namespace aevum::model
