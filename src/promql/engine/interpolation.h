// Values between two samples.
#pragma once

#include <optional>

#include "base/clock.h"
#include "model/histogram.h"
#include "promql/engine/histogram_notes.h"

namespace aevum::promql {

// A number or a native histogram at a time.
template <typename Value>
struct SampleAt {
  TimestampMs time;
  const Value& value;
};

// The value at `time` on the line from `before` to `after`. A counter that was reset between the
// two counted from zero.
double Interpolate(SampleAt<double> before, SampleAt<double> after, TimestampMs time, bool counter);

// The same of histograms; nothing when one has exponential and the other custom buckets. Notes both
// that and bounds that had to be reconciled.
std::optional<model::FloatHistogram> Interpolate(SampleAt<model::FloatHistogram> before,
                                                 SampleAt<model::FloatHistogram> after,
                                                 TimestampMs time, bool counter,
                                                 const HistogramNotes& notes);

}  // namespace aevum::promql
