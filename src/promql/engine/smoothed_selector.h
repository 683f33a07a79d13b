// Instant selectors with the modifier smoothed.
#pragma once

#include <string>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/selector.h"

namespace aevum::promql {

// At each step the value on the line between the samples around it in (t - lookback, t + lookback];
// the sample itself where there is one, the last one where none follows, nothing where none
// precedes. `function` as in HintsOf.
OperatorPtr MakeSmoothedSelector(QueryState& state, const VectorSelector& selector,
                                 SelectTimes times, std::string function);

}  // namespace aevum::promql
