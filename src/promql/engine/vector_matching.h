// Binary operators between two vectors: matching by labels, and the set operators.
#pragma once

#include "promql/ast.h"
#include "promql/engine/evaluation.h"

namespace aevum::promql {

// lhs op rhs with the matching of `expr`, which must be between vectors. Both sides are read whole.
// FailedPrecondition with Prometheus's text when more than one series match.
OperatorPtr MakeVectorBinary(QueryState& state, std::size_t steps, const BinaryExpr& expr,
                             OperatorPtr lhs, OperatorPtr rhs);

}  // namespace aevum::promql
