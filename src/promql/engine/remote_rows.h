// Rows that leaves calculate.
#pragma once

#include "promql/engine/distribute.h"
#include "promql/engine/evaluation.h"

namespace aevum::promql {

// Whether leaves can be asked for these steps: they know whole seconds only. Steps that are not are
// asked for a little earlier, of a text that looks as much later, where that gives the same.
bool CanAskLeaves(const RemotePart& part, const Grid& grid, const QueryState& state);

// Asks all leaves of a part at once and gives their rows, merged by labels when the part needs the
// order. A leaf that fails is a warning or an error, as the distribution says; one that can't
// evaluate the part makes the plan doubtful. The state must have a plan.
StatusOr<OperatorPtr> MakeRemoteRows(const RemotePart& part, QueryState& state, const Grid& grid);

}  // namespace aevum::promql
