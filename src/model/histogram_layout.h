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

// sum += value with Neumaier's compensation.
void AddCompensated(double value, double* sum, double* lost);

}  // namespace aevum::model::internal
