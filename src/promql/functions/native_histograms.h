// What PromQL calculates from one native histogram.
#pragma once

#include <cstdint>
#include <string>

#include "model/histogram.h"

namespace aevum::promql::functions {

// What to tell beside the value: observations that are NaN are in no bucket.
enum class NanNote : std::uint8_t { kNone, kResultIsNan, kSkewed, kExcluded };

struct NativeResult {
  double value = 0;
  NanNote note = NanNote::kNone;
};

// histogram_quantile: interpolated in the logarithm within exponential buckets, linearly within
// the zero bucket and custom ones. NaN without observations, infinite beyond 0 and 1.
NativeResult NativeQuantile(double rank, const model::FloatHistogram& histogram);

// histogram_fraction: the share of observations between two bounds.
NativeResult NativeFraction(double lower, double upper, const model::FloatHistogram& histogram);

// histogram_stdvar: each observation is taken to be in the middle of its bucket.
double NativeVariance(const model::FloatHistogram& histogram);

// A histogram as a label value of count_values: {count:4, sum:3, (1,2]:4}.
std::string NativeText(const model::FloatHistogram& histogram);

}  // namespace aevum::promql::functions
