// What start timestamps say of counters: resets that values don't show, and where a count began.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "promql/engine/deadline_check.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/range_function.h"

namespace aevum::promql {

// When a sample was taken, and when its count began: 0 where that is not known.
struct CountedAt {
  TimestampMs time;
  TimestampMs start;
};

// Whether a count began anew between two samples: its start lies behind the sample before, or on it
// where that one has a start of its own (the end of one delta is the start of the next).
bool StartedAnew(CountedAt sample, CountedAt previous);

// Whether the count of a sample began within that of the sample before, which can't be right.
bool StartsOverlap(CountedAt sample, CountedAt previous);

// Whether the zero that a count began with lies within a window and before its first sample, so
// that it can stand for one more sample.
inline bool BeganWithin(CountedAt first, TimestampMs window_start) {
  return first.start != 0 && first.start > window_start && first.start < first.time;
}

// What a window gained between its first and its last sample, or since its count began.
struct Extent {
  CountedAt first;
  TimestampMs last;
  std::size_t gaps;  // samples less one
  TimestampMs end;   // of the window
  std::int64_t range_ms;
  bool counter;
  double first_count;
  double gained;
};

// By what that is multiplied to reach the bounds of the window, as rate and its kin do.
double ExtrapolationFactor(const Extent& extent);

// Whether the function looks at start timestamps: rate, increase, irate and resets.
bool UsesStarts(const RangeFunction& function);

// As EvaluateWindows of the floats of the columns, with their start timestamps where some are
// known. Windows with histograms are left out then: they are no windows of numbers.
Status EvaluateNumbers(const RangeFunction& function, const WindowSteps& steps,
                       const chunk::Columns& columns, const HistogramNotes& notes,
                       WindowScratch& scratch, DeadlineCheck& deadline, double* values,
                       std::uint8_t* present);

}  // namespace aevum::promql
