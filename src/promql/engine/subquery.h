// Functions over subqueries: an expression evaluated at steps of its own, and windows over that.
#pragma once

#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/range_function.h"
#include "promql/engine/selector.h"

namespace aevum::promql {

// The steps at which the inner expression is evaluated: multiples of the subquery's step that lie
// in some window. ResourceExhausted when there are more than the memory budget could ever hold.
StatusOr<Grid> SubqueryGrid(const SubqueryExpr& subquery, const SelectTimes& times,
                            const QueryState& state);

// A function over windows of the rows of `inner`, which is evaluated on `inner_grid`.
OperatorPtr MakeSubqueryFunction(QueryState& state, const SubqueryExpr& subquery, SelectTimes times,
                                 Grid inner_grid, OperatorPtr inner, RangeFunction function);

}  // namespace aevum::promql
