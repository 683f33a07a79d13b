// The buckets of one side of a histogram as columns: what spans and counts describe. Internal to
// the arithmetic.
#pragma once

#include <cstdint>
#include <vector>

#include "model/histogram.h"

namespace aevum::model::internal {

// Index and count of each bucket, ascending; `lost` is empty or holds the compensation of each.
struct BucketColumns {
  std::vector<std::int32_t> indices;
  std::vector<double> counts;
  std::vector<double> lost;

  bool compensated() const { return !lost.empty(); }
};

// As many buckets as both spans and counts describe; `lost` is null without a compensation.
BucketColumns ToColumns(const std::vector<Span>& spans, const std::vector<double>& counts,
                        const std::vector<double>* lost);

// Spans of indices: a new one at each gap.
std::vector<Span> ToSpans(const std::vector<std::int32_t>& indices);

// Merges buckets to those of a schema that is lower by `halvings`, each sum in the order of the
// buckets.
void ReduceColumns(int halvings, BucketColumns* columns);

// Adds `b`, times -1 when `negative`, to `*a`, leaving out the buckets of `b` before `first`.
// With a compensation in `a` sums are compensated.
void MergeColumns(const BucketColumns& b, std::size_t first, bool negative, bool compensated,
                  BucketColumns* a);

// Whether spans describe so many counts in the only way that ToSpans does: none is empty, none
// touches the next.
bool IsCanonical(const std::vector<Span>& spans, std::size_t counts);

// Adds the counts of one side, times -1 when `negative`, where both layouts are equal or the
// buckets of `b` are among those of `a`, which must be canonical. `lost` is null or holds the
// compensation of each count of `a`. False, with nothing changed, where this is not so.
bool AddInPlace(const std::vector<Span>& b_spans, const std::vector<double>& b_counts,
                bool negative, const std::vector<Span>& a_spans, std::vector<double>* a_counts,
                std::vector<double>* lost);

// Makes room in `a` for the buckets of `b` that it lacks; they are -0, so that what is added to
// them is what they then hold. Both must be canonical. False, with nothing changed, when there
// would be too many spans.
bool WidenInPlace(const std::vector<Span>& b_spans, std::size_t b_counts,
                  std::vector<Span>* a_spans, std::vector<double>* a_counts,
                  std::vector<double>* lost);

// Leaves out empty buckets. False, with nothing changed, for spans that are not canonical or become
// too many.
bool CompactInPlace(std::vector<Span>* spans, std::vector<double>* counts);

// sum += value with Neumaier's compensation.
void AddCompensated(double value, double* sum, double* lost);

}  // namespace aevum::model::internal
