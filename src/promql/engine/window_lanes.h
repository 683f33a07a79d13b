// Sums and their kin over many windows at once: a window a lane of a vector, the samples of each
// added one after the other, so that every bit is that of the plain loop.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aevum::promql {

// Windows [lo, hi) of a column that is not empty. Results of empty windows may be anything.
struct LaneWindows {
  const double* samples;
  const std::int64_t* lo;
  const std::int64_t* hi;
  std::size_t size;
};

// The compensated sum of each window (KahanSum).
void SumWindows(const LaneWindows& windows, double* sums);

// The mean of each window as KahanMean has it while no sum overflows. False when one did: then
// `means` is of no use.
bool AverageWindows(const LaneWindows& windows, double* means);

// Welford's variance with compensated sums, divided by the number of samples.
void VarianceOfWindows(const LaneWindows& windows, double* variances);

// Double exponential smoothing of windows of two samples or more, with the factors of each.
void SmoothWindows(const LaneWindows& windows, const double* smoothing, const double* trend,
                   double* smoothed);

// Adds the samples of each window to its place in `sums`, without compensation.
void AddWindows(const LaneWindows& windows, double* sums);

}  // namespace aevum::promql
