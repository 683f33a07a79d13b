// Functions over windows that hold native histograms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "chunk/chunk.h"
#include "model/histogram.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/range_function.h"
#include "promql/engine/row_batch.h"

namespace aevum::promql {

// What a histogram costs, in values looked at.
inline constexpr std::size_t kValuesOfHistogram = 256;

class SeriesFacts;

// The samples of one step: some histograms, and the numbers among them.
struct MixedWindow {
  const TimestampMs* float_times;
  const double* floats;
  std::size_t float_count;
  const TimestampMs* times;
  const model::FloatHistogram* histograms;
  std::size_t count;
  TimestampMs end;
  std::int64_t range_ms;
  const TimestampMs* float_starts;  // null without start timestamps
  const TimestampMs* starts;
  std::size_t first = 0;         // position of the first histogram in the series
  SeriesFacts* facts = nullptr;  // of the series
  RowBatch* memory = nullptr;    // for histograms that are results

  bool mixed() const { return float_count > 0; }
  bool FirstIsFloat() const { return mixed() && float_times[0] < times[0]; }
  bool LastIsFloat() const { return mixed() && float_times[float_count - 1] > times[count - 1]; }
};

// The samples [float_lo, float_hi) and [lo, hi) of columns, with start timestamps if they have
// some; the end of the window and its range are left to the caller.
MixedWindow MixedWindowOf(const chunk::Columns& columns, std::size_t float_lo, std::size_t float_hi,
                          std::size_t lo, std::size_t hi);

// Nothing, a number, or a histogram.
struct WindowResult {
  std::optional<double> number = std::nullopt;
  std::shared_ptr<model::FloatHistogram> histogram = nullptr;
};

// How many samples differ from the one before them (kChanges) or follow a reset (kResets). A number
// differs from a histogram always. The window holds a sample.
double CountInWindow(RangeFunction::OfHistograms what, const MixedWindow& window);

// Evaluates a function over columns of numbers and histograms into a row of `out`. A window
// without histograms has the value that the numbers alone give. `name` is that of the metric, for
// annotations.
Status EvaluateMixedWindows(const RangeFunction& function, const WindowSteps& steps,
                            const chunk::Columns& columns, std::string_view name,
                            WindowScratch& scratch, DeadlineCheck& deadline,
                            Annotations& annotations, RowBatch* out, std::size_t row);

}  // namespace aevum::promql
