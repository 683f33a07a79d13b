// How far the native histograms of an algorithm are from what was observed.
#pragma once

#include <vector>

#include "store/dedup/testing/histogram_case.h"

namespace aevum::store::dedup::testing {

// Of one algorithm on one case; shares of the mean number of observations of a window.
struct HistogramMeasure {
  std::vector<double> count_errors;     // of the increase (gauge: the average) of the count
  std::vector<double> bucket_errors;    // of all buckets, summed
  std::vector<double> quantile_errors;  // of the 0.9 quantile, as a binary logarithm
  int windows = 0;
  int missing = 0;
  int false_resets = 0;
  int wrong_hints = 0;    // "no reset" where there is one, or "reset" where there is none
  int extra_changes = 0;  // between floats and histograms, beyond the one that is true
  int samples = 0;
};

// As PromQL calculates increase and avg_over_time, in windows that hold histograms alone.
HistogramMeasure MeasureHistograms(const HistogramCase& c, const chunk::Columns& columns);

}  // namespace aevum::store::dedup::testing
