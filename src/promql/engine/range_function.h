// Functions over the samples of a window: rate, sum_over_time and their kin.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "promql/ast.h"
#include "promql/engine/advancing_windows.h"
#include "promql/engine/deadline_check.h"
#include "promql/engine/extension.h"
#include "promql/engine/extrapolated_rate.h"
#include "promql/engine/window_bounds.h"

namespace aevum::promql {

class StepCounts;  // promql/engine/step_counts.h

// The samples of one step, in time order, at least one.
struct Window {
  const TimestampMs* times;
  const double* values;
  std::size_t size;
  TimestampMs end;    // the step itself, less the offset
  TimestampMs step;   // the step itself
  double parameter;   // of quantile_over_time, predict_linear
  double parameter2;  // of double_exponential_smoothing

  double last() const { return values[size - 1]; }
};

// What a function gives for a window, or nothing.
using WindowFunction = std::optional<double> (*)(const Window& window);

struct RangeFunction;
struct WindowScratch;

// The windows of all steps of a series, and where what a function gives for them goes.
struct SeriesWindows {
  const RangeFunction& function;
  const WindowSteps& steps;
  const WindowBounds& bounds;
  const std::vector<TimestampMs>& times;
  const std::vector<double>& samples;  // at least one
  WindowScratch& scratch;
  DeadlineCheck& deadline;
  double* values;         // of steps that are not present they may become anything
  std::uint8_t* present;  // 1 where a window has samples
};

// What a function gives for all windows at once. Fails only when the request is cancelled or out of
// time.
using RowOfWindows = Status (*)(const SeriesWindows& windows);

// One function over ranges, with the parameters of each step.
struct RangeFunction {
  enum class Kind : std::uint8_t { kWindow, kRow, kRate, kIncrease, kDelta };
  // What a window with native histograms gives; kIgnored: what its numbers alone give.
  enum class OfHistograms : std::uint8_t {
    kIgnored,
    kRate,
    kInstantRate,
    kInstantDelta,
    kSum,
    kMean,
    kCount,
    kPresent,
    kFirst,
    kLast,
    kTimeOfFirst,
    kTimeOfLast,
    kChanges,
    kResets,
  };
  std::string_view name;
  Kind kind = Kind::kWindow;
  OfHistograms of_histograms = OfHistograms::kIgnored;
  const Expr* argument = nullptr;   // the first, which annotations point at
  WindowFunction window = nullptr;  // of a window
  RowOfWindows row = nullptr;       // or of all
  bool keeps_name = false;
  bool is_counter = false;         // the name of its metric should say that it counts
  std::vector<double> parameters;  // a value a step, or empty
  std::vector<double> parameters2;
  // Steps whose parameters are wrong: the query fails where such a step has a window.
  std::map<std::size_t, Status> step_errors;
  // The same for what is only to be warned of, at a place in the query.
  std::map<std::size_t, std::string> step_warnings;
  const Expr* parameter_expr = nullptr;
  Extension extension;           // of the selector
  StepCounts* counts = nullptr;  // of the samples in windows; null when nobody asks
};

// The function of that name, without parameters; nullopt when it is none over ranges or is not
// there yet.
std::optional<RangeFunction> FindRangeFunction(std::string_view name);

// What functions keep from series to series of the same steps.
struct WindowScratch {
  WindowBounds bounds;
  ExtrapolatedRate rate;
  WindowExtremes extremes;
  WindowCounts counts;

  // Bytes of heap that they hold, for memory budgets.
  std::int64_t memory_bytes() const {
    return bounds.memory_bytes() + rate.memory_bytes() + extremes.memory_bytes() +
           counts.memory_bytes();
  }
};

// Evaluates a function over columns without staleness markers, ascending in time, for all steps.
// Windows advance; they are not searched again. `values` and `present` have steps.size places,
// zeroed before. Fails only when the request is cancelled or out of time.
Status EvaluateWindows(const RangeFunction& function, const WindowSteps& steps,
                       const std::vector<TimestampMs>& times, const std::vector<double>& samples,
                       WindowScratch& scratch, DeadlineCheck& deadline, double* values,
                       std::uint8_t* present);

// The quantile of values, which it sorts: NaN for none or a NaN rank, infinities beyond 0 and 1.
double Quantile(double rank, std::vector<double>* values);

}  // namespace aevum::promql
