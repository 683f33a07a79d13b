// Calls of functions that are not over ranges, as operators.
#pragma once

#include "promql/ast.h"
#include "promql/engine/planner.h"

namespace aevum::promql {

// The operator of a call whose result is a vector. Unimplemented, by name, for a function that is
// not there yet. A new function is added here, and what it calculates in promql/functions.
StatusOr<OperatorPtr> MakeCall(const Call& call, Planner& planner);

}  // namespace aevum::promql
