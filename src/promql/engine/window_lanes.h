// Sums and their kin over many windows at once: a window a lane of a vector, the samples of each
// added one after the other, so that every bit is that of the plain loop.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "promql/engine/deadline_check.h"

namespace aevum::promql {

// Windows [lo, hi) of a column that is not empty. Results of empty windows may be anything.
struct LaneWindows {
  const double* samples;
  const std::int64_t* lo;
  const std::int64_t* hi;
  std::size_t size;
};

// Gives windows to `run(piece, first)` in pieces of some million samples, with the number of the
// first window of each; looks at the deadline after each.
template <typename Run>
Status InPieces(const LaneWindows& windows, DeadlineCheck& deadline, Run run) {
  constexpr std::size_t kGroup = 64;  // windows that stay together: some vectors full
  std::size_t first = 0;
  while (first < windows.size) {
    std::size_t end = first;
    std::size_t samples = 0;
    while (end < windows.size && samples < 4 * DeadlineCheck::kValues) {
      const std::size_t group = std::min(windows.size, end + kGroup);
      for (; end < group; ++end)
        samples += static_cast<std::size_t>(windows.hi[end] - windows.lo[end]);
    }
    run(LaneWindows{.samples = windows.samples,
                    .lo = windows.lo + first,
                    .hi = windows.hi + first,
                    .size = end - first},
        first);
    RETURN_IF_ERROR(deadline.After(samples));
    first = end;
  }
  return OkStatus();
}

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
