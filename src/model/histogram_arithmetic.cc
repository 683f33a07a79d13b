#include "model/histogram_arithmetic.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "model/histogram_buckets.h"
#include "model/histogram_layout.h"

namespace aevum::model {
namespace {

using internal::BucketColumns;
using internal::ToColumns;
using internal::ToSpans;

enum class Sign : std::uint8_t { kPlus, kMinus };

// How often two buckets become one from a schema to a lower one; 0 when it is not lower.
int Halvings(std::int32_t from, std::int32_t to) {
  return static_cast<int>(std::clamp<std::int64_t>(std::int64_t{from} - to, 0, 31));
}

// Leaves out the buckets that are empty in the histogram and in its compensation.
void CompactSide(std::vector<Span>* spans, std::vector<double>* counts, std::vector<double>* lost) {
  if (lost == nullptr && internal::CompactInPlace(spans, counts)) return;
  BucketColumns columns = ToColumns(*spans, *counts, lost);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < columns.indices.size(); ++i) {
    if (columns.counts[i] == 0 && (lost == nullptr || columns.lost[i] == 0)) continue;
    columns.indices[kept] = columns.indices[i];
    columns.counts[kept] = columns.counts[i];
    if (lost != nullptr) columns.lost[kept] = columns.lost[i];
    ++kept;
  }
  columns.indices.resize(kept);
  columns.counts.resize(kept);
  *spans = ToSpans(columns.indices);
  *counts = std::move(columns.counts);
  if (lost != nullptr) {
    columns.lost.resize(kept);
    *lost = std::move(columns.lost);
  }
}

bool AdjustHint(FloatHistogram* h, const FloatHistogram& other) {
  using enum ResetHint;
  if (other.reset_hint == h->reset_hint || h->reset_hint == kGauge) return false;
  if (other.reset_hint == kGauge) {
    h->reset_hint = kGauge;
    return false;
  }
  const bool collision = h->reset_hint != kUnknown && other.reset_hint != kUnknown;
  h->reset_hint = kUnknown;
  return collision;
}

struct ZeroBucket {
  double count = 0;
  double threshold = 0;
  double lost = 0;
};

// What the zero bucket would hold if it were as wide as `threshold`, which must not be less than
// it is. A threshold within a populated bucket is moved to the far end of that bucket. What
// rounding lost is not taken back when the negative side moves the threshold and all is counted
// again; the reference does the same.
ZeroBucket WiderZeroBucket(const FloatHistogram& h, double threshold, const FloatHistogram* lost) {
  ZeroBucket zero{h.zero_count, threshold, lost != nullptr ? lost->zero_count : 0};
  if (threshold == h.zero_threshold) return zero;
  const std::vector<HistogramBucket> positive = PositiveBuckets(h);
  const std::vector<HistogramBucket> negative = NegativeBuckets(h);
  const auto take = [&](double count, const std::vector<double>* side, std::size_t i) {
    internal::AddCompensated(count, &zero.count, &zero.lost);
    if (side != nullptr && i < side->size())
      internal::AddCompensated((*side)[i], &zero.count, &zero.lost);
  };
  for (bool again = true; again;) {
    again = false;
    zero.count = h.zero_count;
    for (std::size_t i = 0; i < positive.size() && positive[i].lower < zero.threshold; ++i) {
      take(positive[i].count, lost != nullptr ? &lost->positive_buckets : nullptr, i);
      if (positive[i].upper <= zero.threshold) continue;
      if (positive[i].count != 0) zero.threshold = positive[i].upper;
      break;
    }
    for (std::size_t i = 0; i < negative.size() && negative[i].upper > -zero.threshold; ++i) {
      take(negative[i].count, lost != nullptr ? &lost->negative_buckets : nullptr, i);
      if (negative[i].lower >= -zero.threshold) continue;
      if (negative[i].count != 0) {
        zero.threshold = -negative[i].lower;
        again = true;
      }
      break;
    }
  }
  return zero;
}

// Takes out the buckets that the zero bucket covers; their counts are in it.
void TrimIntoZeroBucket(FloatHistogram* h, FloatHistogram* lost) {
  const std::vector<HistogramBucket> positive = PositiveBuckets(*h);
  for (std::size_t i = 0; i < positive.size() && positive[i].lower < h->zero_threshold; ++i) {
    h->positive_buckets[i] = 0;
    if (lost != nullptr) lost->positive_buckets[i] = 0;
  }
  const std::vector<HistogramBucket> negative = NegativeBuckets(*h);
  for (std::size_t i = 0; i < negative.size() && negative[i].upper > -h->zero_threshold; ++i) {
    h->negative_buckets[i] = 0;
    if (lost != nullptr) lost->negative_buckets[i] = 0;
  }
  CompactSide(&h->positive_spans, &h->positive_buckets,
              lost != nullptr ? &lost->positive_buckets : nullptr);
  CompactSide(&h->negative_spans, &h->negative_buckets,
              lost != nullptr ? &lost->negative_buckets : nullptr);
}

// Widens the zero bucket of `*h` until it fits both; gives that of `other` as it would then be.
// Ends: each round makes a threshold greater, and there are finitely many bounds. A threshold
// that is no number fits nothing and is left.
ZeroBucket ReconcileZeroBuckets(FloatHistogram* h, const FloatHistogram& other,
                                FloatHistogram* lost) {
  ZeroBucket zero{other.zero_count, other.zero_threshold, 0};
  while (zero.threshold != h->zero_threshold) {
    if (std::isnan(zero.threshold) || std::isnan(h->zero_threshold)) break;
    if (h->zero_threshold > zero.threshold)
      zero = WiderZeroBucket(other, h->zero_threshold, nullptr);
    if (zero.threshold > h->zero_threshold) {
      const ZeroBucket mine = WiderZeroBucket(*h, zero.threshold, lost);
      h->zero_count = mine.count;
      h->zero_threshold = mine.threshold;
      if (lost != nullptr) lost->zero_count = mine.lost;
      TrimIntoZeroBucket(h, lost);
    }
  }
  return zero;
}

std::vector<double> CommonBounds(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  return common;
}

// Buckets of custom bounds to those of `bounds`, a subset of theirs.
void AddToBounds(const BucketColumns& columns, const std::vector<double>& own_bounds,
                 const std::vector<double>& bounds, double sign, std::vector<double>* counts,
                 std::vector<double>* lost) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < columns.indices.size(); ++i) {
    const auto index = static_cast<std::size_t>(std::max(columns.indices[i], 0));
    std::size_t target = bounds.size();  // the bucket up to +Inf
    if (index < own_bounds.size()) {
      while (at < bounds.size() && bounds[at] < own_bounds[index]) ++at;
      target = at;
    }
    internal::AddCompensated(sign * columns.counts[i], &(*counts)[target], &(*lost)[target]);
    if (columns.compensated())
      internal::AddCompensated(columns.lost[i], &(*counts)[target], &(*lost)[target]);
  }
}

// Adds custom buckets with other bounds: both are mapped to the bounds that they share.
void CombineMismatched(FloatHistogram* h, const FloatHistogram& other, Sign sign,
                       FloatHistogram* lost) {
  std::vector<double> bounds = CommonBounds(h->custom_values, other.custom_values);
  std::vector<double> counts(bounds.size() + 1);
  std::vector<double> compensations(bounds.size() + 1);
  AddToBounds(ToColumns(h->positive_spans, h->positive_buckets,
                        lost != nullptr ? &lost->positive_buckets : nullptr),
              h->custom_values, bounds, 1, &counts, &compensations);
  AddToBounds(ToColumns(other.positive_spans, other.positive_buckets, nullptr), other.custom_values,
              bounds, sign == Sign::kMinus ? -1 : 1, &counts, &compensations);
  h->positive_spans = {{0, static_cast<std::uint32_t>(counts.size())}};
  h->positive_buckets = std::move(counts);
  CompactSide(&h->positive_spans, &h->positive_buckets, &compensations);
  h->custom_values = std::move(bounds);
  if (lost != nullptr) lost->positive_buckets = std::move(compensations);
}

// One side of a histogram and of what rounding lost of it.
struct Side {
  std::vector<Span>* spans;
  std::vector<double>* counts;
  std::vector<double>* lost;  // null without a compensation
};

bool InZeroBucket(std::int32_t index, const FloatHistogram& h) {
  return ExponentialBound(index, h.schema) <= h.zero_threshold;
}

// Adds the buckets of one side at the schema and zero threshold of `h`.
void CombineColumns(const FloatHistogram& h, Sign sign, BucketColumns b, int b_halvings,
                    int a_halvings, bool compensated, BucketColumns* a) {
  if (a_halvings > 0) internal::ReduceColumns(a_halvings, a);
  if (b_halvings > 0) {
    if (compensated) b.lost.resize(b.counts.size());
    internal::ReduceColumns(b_halvings, &b);
  }
  std::size_t first = 0;
  while (first < b.indices.size() && !h.uses_custom_buckets() && InZeroBucket(b.indices[first], h))
    ++first;
  internal::MergeColumns(b, first, sign == Sign::kMinus, compensated, a);
}

// The same for the sides of two histograms.
void CombineSide(const FloatHistogram& h, Sign sign, const std::vector<Span>& b_spans,
                 const std::vector<double>& b_counts, int b_halvings, int a_halvings, Side a) {
  const bool same_schema = a_halvings == 0 && b_halvings == 0;
  const bool clear_of_zero =
      h.uses_custom_buckets() || b_spans.empty() || !InZeroBucket(b_spans[0].offset, h);
  const auto add_in_place = [&] {
    return internal::AddInPlace(b_spans, b_counts, sign == Sign::kMinus, *a.spans, a.counts,
                                a.lost);
  };
  if (same_schema && clear_of_zero) {
    if (add_in_place()) return;
    if (internal::WidenInPlace(b_spans, b_counts.size(), a.spans, a.counts, a.lost) &&
        add_in_place()) {
      return;
    }
  }
  BucketColumns columns = ToColumns(*a.spans, *a.counts, a.lost);
  CombineColumns(h, sign, ToColumns(b_spans, b_counts, nullptr), b_halvings, a_halvings,
                 a.lost != nullptr, &columns);
  *a.spans = ToSpans(columns.indices);
  *a.counts = std::move(columns.counts);
  if (a.lost != nullptr) *a.lost = std::move(columns.lost);
}

FloatHistogram EmptyLike(const FloatHistogram& h) {
  FloatHistogram empty;
  empty.reset_hint = h.reset_hint;
  empty.schema = h.schema;
  empty.zero_threshold = h.zero_threshold;
  empty.custom_values = h.custom_values;
  empty.positive_buckets.resize(h.positive_buckets.size());
  empty.negative_buckets.resize(h.negative_buckets.size());
  return empty;
}

// Puts the spans of a histogram that counts describe; what damaged input has beyond is cut, so
// that a compensation always has the layout of its histogram.
void CombineBuckets(FloatHistogram* h, const FloatHistogram& other, Sign sign,
                    FloatHistogram* lost) {
  const int a_halvings = Halvings(h->schema, other.schema);
  const int b_halvings = Halvings(other.schema, h->schema);
  h->schema = std::min(h->schema, other.schema);
  CombineSide(*h, sign, other.positive_spans, other.positive_buckets, b_halvings, a_halvings,
              {&h->positive_spans, &h->positive_buckets,
               lost != nullptr ? &lost->positive_buckets : nullptr});
  if (h->uses_custom_buckets()) return;
  CombineSide(*h, sign, other.negative_spans, other.negative_buckets, b_halvings, a_halvings,
              {&h->negative_spans, &h->negative_buckets,
               lost != nullptr ? &lost->negative_buckets : nullptr});
}

CombineOutcome Combine(FloatHistogram* h, const FloatHistogram& other, Sign sign,
                       FloatHistogram* lost) {
  CombineOutcome outcome;
  const auto add = [&](double value, double FloatHistogram::* field) {
    if (lost != nullptr) {
      internal::AddCompensated(value, &(h->*field), &(lost->*field));
    } else {
      h->*field = sign == Sign::kMinus ? h->*field - value : h->*field + value;
    }
  };
  if (!h->uses_custom_buckets()) {
    const ZeroBucket zero = ReconcileZeroBuckets(h, other, lost);
    add(zero.count, &FloatHistogram::zero_count);
    if (lost != nullptr) add(zero.lost, &FloatHistogram::zero_count);
  }
  add(other.count, &FloatHistogram::count);
  add(other.sum, &FloatHistogram::sum);
  if (h->uses_custom_buckets() && h->custom_values != other.custom_values) {
    outcome.bounds_reconciled = true;
    CombineMismatched(h, other, sign, lost);
  } else {
    CombineBuckets(h, other, sign, lost);
  }
  if (lost != nullptr) {
    lost->schema = h->schema;
    lost->zero_threshold = h->zero_threshold;
    lost->custom_values = h->custom_values;
    lost->positive_spans = h->positive_spans;
    lost->negative_spans = h->negative_spans;
  }
  return outcome;
}

CombineOutcome CheckAndCombine(FloatHistogram* h, const FloatHistogram& other, Sign sign) {
  if (h->uses_custom_buckets() != other.uses_custom_buckets()) return {.compatible = false};
  const bool collision = AdjustHint(h, other);
  CombineOutcome outcome = Combine(h, other, sign, nullptr);
  outcome.reset_collision = collision;
  return outcome;
}

// ---- resets ----

// The buckets at a schema, without those that the zero bucket covers.
BucketColumns ColumnsAbove(const std::vector<Span>& spans, const std::vector<double>& counts,
                           int halvings, const FloatHistogram& h) {
  BucketColumns columns = ToColumns(spans, counts, nullptr);
  if (halvings > 0) internal::ReduceColumns(halvings, &columns);
  if (h.zero_threshold == 0 || h.uses_custom_buckets()) return columns;
  std::size_t first = 0;
  while (first < columns.indices.size() &&
         ExponentialBound(columns.indices[first], h.schema) <= h.zero_threshold) {
    ++first;
  }
  const auto cut = static_cast<std::ptrdiff_t>(first);
  columns.indices.erase(columns.indices.begin(), columns.indices.begin() + cut);
  columns.counts.erase(columns.counts.begin(), columns.counts.begin() + cut);
  return columns;
}

// Whether two histograms have the same buckets, none of them within the zero bucket.
bool SameLayout(const FloatHistogram& a, const FloatHistogram& b) {
  const auto clear_of_zero = [&](const std::vector<Span>& spans) {
    return a.uses_custom_buckets() || spans.empty() || !InZeroBucket(spans[0].offset, a);
  };
  return a.schema == b.schema && a.zero_threshold == b.zero_threshold &&
         a.positive_spans == b.positive_spans && a.negative_spans == b.negative_spans &&
         a.positive_buckets.size() == b.positive_buckets.size() &&
         a.negative_buckets.size() == b.negative_buckets.size() &&
         internal::IsCanonical(a.positive_spans, a.positive_buckets.size()) &&
         internal::IsCanonical(a.negative_spans, a.negative_buckets.size()) &&
         clear_of_zero(a.positive_spans) && clear_of_zero(a.negative_spans);
}

bool AnyLess(const std::vector<double>& current, const std::vector<double>& previous) {
  bool less = false;
  for (std::size_t i = 0; i < current.size(); ++i) less |= current[i] < previous[i];
  return less;
}

bool AnyBucketLess(const BucketColumns& current, const BucketColumns& previous) {
  std::size_t i = 0;
  for (std::size_t j = 0; j < previous.indices.size(); ++j) {
    while (i < current.indices.size() && current.indices[i] < previous.indices[j]) ++i;
    if (i < current.indices.size() && current.indices[i] == previous.indices[j]) {
      if (current.counts[i] < previous.counts[j]) return true;
    } else if (previous.counts[j] != 0) {
      return true;
    }
  }
  return false;
}

// Counts up to each bound, from the bound before it.
std::vector<double> CountsBetween(const FloatHistogram& h, const std::vector<double>& bounds) {
  std::vector<double> counts(bounds.size() + 1);
  const BucketColumns columns = ToColumns(h.positive_spans, h.positive_buckets, nullptr);
  std::size_t at = 0;
  for (std::size_t i = 0; i < columns.indices.size(); ++i) {
    const auto index = static_cast<std::size_t>(std::max(columns.indices[i], 0));
    if (index >= h.custom_values.size()) {
      at = bounds.size();
    } else {
      while (at < bounds.size() && bounds[at] < h.custom_values[index]) ++at;
    }
    counts[at] += columns.counts[i];
  }
  return counts;
}

bool ResetWithOtherBounds(const FloatHistogram& h, const FloatHistogram& previous) {
  const std::vector<double> bounds = CommonBounds(h.custom_values, previous.custom_values);
  const std::vector<double> now = CountsBetween(h, bounds);
  const std::vector<double> before = CountsBetween(previous, bounds);
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i] < before[i]) return true;
  }
  return false;
}

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool SameCounts(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), SameBits);
}

// Spans without those of no length, whose offset belongs to the next.
std::vector<Span> WithoutEmpty(const std::vector<Span>& spans) {
  std::vector<Span> kept;
  std::int32_t offset = 0;
  for (const Span& span : spans) {
    offset += span.offset;
    if (span.length == 0) continue;
    kept.push_back({offset, span.length});
    offset = 0;
  }
  return kept;
}

}  // namespace

CombineOutcome Add(FloatHistogram* histogram, const FloatHistogram& other) {
  return CheckAndCombine(histogram, other, Sign::kPlus);
}

CombineOutcome Subtract(FloatHistogram* histogram, const FloatHistogram& other) {
  return CheckAndCombine(histogram, other, Sign::kMinus);
}

CombineOutcome AddCompensated(FloatHistogram* histogram, const FloatHistogram& other,
                              std::optional<FloatHistogram>* compensation) {
  if (histogram->uses_custom_buckets() != other.uses_custom_buckets()) return {.compatible = false};
  const bool collision = AdjustHint(histogram, other);
  if (!compensation->has_value()) *compensation = EmptyLike(*histogram);
  CombineOutcome outcome = Combine(histogram, other, Sign::kPlus, &**compensation);
  outcome.reset_collision = collision;
  return outcome;
}

void Multiply(FloatHistogram* histogram, double factor) {
  histogram->zero_count *= factor;
  histogram->count *= factor;
  histogram->sum *= factor;
  for (double& count : histogram->positive_buckets) count *= factor;
  for (double& count : histogram->negative_buckets) count *= factor;
  if (factor < 0) histogram->reset_hint = ResetHint::kGauge;
}

void Divide(FloatHistogram* histogram, double divisor) {
  histogram->zero_count /= divisor;
  histogram->count /= divisor;
  histogram->sum /= divisor;
  if (divisor == 0) {
    histogram->positive_buckets.clear();
    histogram->negative_buckets.clear();
    histogram->positive_spans.clear();
    histogram->negative_spans.clear();
    return;
  }
  for (double& count : histogram->positive_buckets) count /= divisor;
  for (double& count : histogram->negative_buckets) count /= divisor;
  if (divisor < 0) histogram->reset_hint = ResetHint::kGauge;
}

void Compact(FloatHistogram* histogram) {
  CompactSide(&histogram->positive_spans, &histogram->positive_buckets, nullptr);
  CompactSide(&histogram->negative_spans, &histogram->negative_buckets, nullptr);
}

FloatHistogram AtSchema(const FloatHistogram& histogram, std::int32_t schema) {
  FloatHistogram lower = histogram;
  const int halvings = Halvings(histogram.schema, schema);
  if (halvings == 0 || histogram.uses_custom_buckets()) return lower;
  lower.reset_hint = ResetHint::kUnknown;
  lower.schema = schema;
  const auto reduce = [&](std::vector<Span>* spans, std::vector<double>* counts) {
    BucketColumns columns = ToColumns(*spans, *counts, nullptr);
    internal::ReduceColumns(halvings, &columns);
    *spans = ToSpans(columns.indices);
    *counts = std::move(columns.counts);
  };
  reduce(&lower.positive_spans, &lower.positive_buckets);
  reduce(&lower.negative_spans, &lower.negative_buckets);
  return lower;
}

bool DetectReset(const FloatHistogram& histogram, const FloatHistogram& previous) {
  if (histogram.reset_hint == ResetHint::kReset) return true;
  if (histogram.reset_hint == ResetHint::kNoReset) return false;
  if (histogram.count < previous.count) return true;
  if (histogram.uses_custom_buckets()) {
    if (!previous.uses_custom_buckets()) return true;
    if (histogram.custom_values != previous.custom_values)
      return ResetWithOtherBounds(histogram, previous);
  }
  if (SameLayout(histogram, previous)) {
    return histogram.zero_count < previous.zero_count ||
           AnyLess(histogram.positive_buckets, previous.positive_buckets) ||
           AnyLess(histogram.negative_buckets, previous.negative_buckets);
  }
  if (histogram.schema > previous.schema) return true;
  if (histogram.zero_threshold < previous.zero_threshold) return true;
  const ZeroBucket zero = WiderZeroBucket(previous, histogram.zero_threshold, nullptr);
  if (zero.threshold != histogram.zero_threshold) return true;
  if (histogram.zero_count < zero.count) return true;
  const int halvings = Halvings(previous.schema, histogram.schema);
  return AnyBucketLess(
             ColumnsAbove(histogram.positive_spans, histogram.positive_buckets, 0, histogram),
             ColumnsAbove(previous.positive_spans, previous.positive_buckets, halvings,
                          histogram)) ||
         AnyBucketLess(
             ColumnsAbove(histogram.negative_spans, histogram.negative_buckets, 0, histogram),
             ColumnsAbove(previous.negative_spans, previous.negative_buckets, halvings, histogram));
}

bool Identical(const FloatHistogram& a, const FloatHistogram& b) {
  return a.schema == b.schema && SameBits(a.count, b.count) && SameBits(a.sum, b.sum) &&
         (!a.uses_custom_buckets() || a.custom_values == b.custom_values) &&
         a.zero_threshold == b.zero_threshold && SameBits(a.zero_count, b.zero_count) &&
         WithoutEmpty(a.negative_spans) == WithoutEmpty(b.negative_spans) &&
         SameCounts(a.negative_buckets, b.negative_buckets) &&
         WithoutEmpty(a.positive_spans) == WithoutEmpty(b.positive_spans) &&
         SameCounts(a.positive_buckets, b.positive_buckets);
}

bool FarFromOverflow(const FloatHistogram& histogram) {
  // So many times less than the greatest number as there may be buckets and histograms.
  constexpr double kFar = 1e290;
  const auto far = [](const std::vector<double>& values) {
    bool all = true;
    for (const double value : values) all &= std::abs(value) <= kFar;
    return all;
  };
  return std::abs(histogram.zero_count) <= kFar && std::abs(histogram.count) <= kFar &&
         std::abs(histogram.sum) <= kFar && far(histogram.positive_buckets) &&
         far(histogram.negative_buckets) && far(histogram.custom_values);
}

bool Overflows(const FloatHistogram& histogram) {
  const auto any = [](const std::vector<double>& values) {
    return std::any_of(values.begin(), values.end(), [](double v) { return std::isinf(v); });
  };
  return std::isinf(histogram.zero_count) || std::isinf(histogram.count) ||
         std::isinf(histogram.sum) || any(histogram.positive_buckets) ||
         any(histogram.negative_buckets) || any(histogram.custom_values);
}

std::int64_t SizeBytes(const FloatHistogram& histogram) {
  const std::size_t words = histogram.positive_spans.size() + histogram.negative_spans.size() +
                            histogram.positive_buckets.size() + histogram.negative_buckets.size() +
                            histogram.custom_values.size();
  return static_cast<std::int64_t>(sizeof(FloatHistogram) + words * sizeof(double));
}

}  // namespace aevum::model
