// limit_ratio: a share of the series, chosen by a hash of their labels.
#pragma once

#include <vector>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"

namespace aevum::promql {

// `ratios`: of each step, from -1 to 1; a negative one chooses what the positive one with which it
// adds up to 1 in magnitude leaves. Beyond that a warning is noted; NaN is an error.
StatusOr<OperatorPtr> MakeLimitRatio(QueryState& state, const AggregateExpr& expr,
                                     std::vector<double> ratios, OperatorPtr source);

}  // namespace aevum::promql
