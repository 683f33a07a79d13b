// Functions over the windows of anchored and smoothed range selectors, whose bounds have values of
// their own: no extrapolation takes place.
//
// At the bounds of an anchored window stand the newest sample at or before its start, or else the
// first within, and the last within; at those of a smoothed one the values on the straight line
// between the samples around them.
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "promql/engine/deadline_check.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/extension.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/range_function.h"
#include "promql/engine/row_batch.h"

namespace aevum::promql {

// Evaluates a function that CheckExtension allows over columns without staleness markers into a row
// of `out`. `name` is that of the metric, for annotations.
Status EvaluateExtendedWindows(const RangeFunction& function, const WindowSteps& steps,
                               const chunk::Columns& columns, std::string_view name,
                               DeadlineCheck& deadline, Annotations& annotations, RowBatch* out,
                               std::size_t row);

// Leaves of the samples that a window sees those within it, between values at its two bounds; none
// when all lie before it. For queries of the range itself.
void BoundSamples(const Extension& extension, TimestampMs start, TimestampMs end,
                  std::vector<TimestampMs>* times, std::vector<double>* values);

}  // namespace aevum::promql
