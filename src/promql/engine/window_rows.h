// Rows of a function over windows of samples, whether they come from a selector or a subquery.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "chunk/chunk.h"
#include "model/labels.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/range_function.h"
#include "promql/engine/selector.h"

namespace aevum::promql {

// Holds what all series share. Thread-compatible.
class WindowRows {
 public:
  WindowRows(const SelectTimes& times, std::int64_t range_ms, RangeFunction function);

  const RangeFunction& function() const { return function_; }

  // Adds the row of a series to `out`, unless no step has a value. The columns have no staleness
  // markers.
  Status Add(const model::Labels& labels, const chunk::Columns& columns, QueryState& state,
             RowBatch* out);

 private:
  // What is wrong with the parameters of steps that have a window of these samples.
  Status CheckSteps(const chunk::Columns& columns, Annotations& annotations) const;

  const std::int64_t range_ms_;
  const RangeFunction function_;
  std::vector<TimestampMs> ends_;   // of the window of each step
  std::vector<TimestampMs> steps_;  // the same without offset
  WindowScratch scratch_;
};

}  // namespace aevum::promql
