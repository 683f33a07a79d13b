// Rows of a function over windows of samples, whether they come from a selector or a subquery.
#pragma once

#include <cstdint>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "model/labels.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/range_function.h"
#include "promql/engine/selector.h"
#include "promql/engine/start_times.h"

namespace aevum::promql {

// What all series of an operator share: the function, and where each step's window ends. Immutable
// once Init was called, hence safe to share between threads.
class WindowRows {
 public:
  WindowRows(const QueryState& state, const SelectTimes& times, std::int64_t range_ms,
             RangeFunction function)
      : state_(state), times_(times), range_ms_(range_ms), function_(std::move(function)) {}

  // Must be called first. ResourceExhausted when the budget has no room for the steps.
  Status Init();

  const RangeFunction& function() const { return function_; }
  std::size_t steps() const { return times_.grid.steps; }
  // Whether it looks at start timestamps.
  bool wants_starts() const { return state_.use_start_timestamps && UsesStarts(function_); }

  // What Add needs, for one thread.
  struct Scratch {
    WindowScratch windows;
    MemoryCharge charge;
  };
  StatusOr<Scratch> MakeScratch() const;

  // Adds the row of a series to `out`, unless no step has a value. The columns have no staleness
  // markers.
  Status Add(const model::Labels& labels, const chunk::Columns& columns, Scratch* scratch,
             Annotations& annotations, RowBatch* out) const;

 private:
  // What is wrong with the parameters of steps that have a window of these samples.
  Status CheckSteps(const chunk::Columns& columns, Annotations& annotations) const;

  const QueryState& state_;
  const SelectTimes times_;
  const std::int64_t range_ms_;
  const RangeFunction function_;
  std::vector<TimestampMs> ends_;   // of the window of each step
  std::vector<TimestampMs> steps_;  // the same without offset
  MemoryCharge charge_;
};

}  // namespace aevum::promql
