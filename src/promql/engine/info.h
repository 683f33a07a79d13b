// info(): series with the labels of the info series that describe them.
#pragma once

#include "base/status.h"
#include "promql/ast.h"
#include "promql/engine/planner.h"

namespace aevum::promql {

// The operator of a call of info(). It reads its argument whole, then selects the info series that
// share a value of `instance` or `job` with it, by default those of target_info, and adds their
// labels where both identify the same target; what a series has of its own stays.
// FailedPrecondition with Prometheus's text where two info series of one metric or two labels
// contradict one another.
StatusOr<OperatorPtr> MakeInfo(const Call& call, Planner& planner);

}  // namespace aevum::promql
