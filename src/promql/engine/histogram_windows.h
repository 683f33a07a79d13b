// Functions over windows that hold native histograms.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "chunk/chunk.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/range_function.h"
#include "promql/engine/row_batch.h"

namespace aevum::promql {

// Evaluates a function over columns of numbers and histograms into a row of `out`. A window
// without histograms has the value that the numbers alone give. `name` is that of the metric, for
// annotations.
Status EvaluateMixedWindows(const RangeFunction& function, const WindowSteps& steps,
                            const chunk::Columns& columns, std::string_view name,
                            WindowScratch& scratch, Annotations& annotations, RowBatch* out,
                            std::size_t row);

}  // namespace aevum::promql
