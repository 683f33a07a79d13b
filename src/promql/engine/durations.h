// Durations that a query calculates: 2 * step(), max_of(1m, range() / 10).
#pragma once

#include <cstdint>

#include "base/status.h"
#include "promql/ast.h"

namespace aevum::promql {

// Gives every selector and subquery of the tree the durations that its expressions stand for, in
// whole milliseconds, and takes the expressions away. `step_ms` and `range_ms` are those of the
// query; an instant query has neither, 0. Errors, with Prometheus's texts, for durations that are
// not finite, too large, or not above 0 where they must be.
Status ResolveDurations(std::int64_t step_ms, std::int64_t range_ms, Expr* expr);

}  // namespace aevum::promql
