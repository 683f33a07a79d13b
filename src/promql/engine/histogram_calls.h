// histogram_count(), histogram_sum() and the other functions of one native histogram.
#pragma once

#include "promql/ast.h"
#include "promql/engine/planner.h"

namespace aevum::promql {

// True for histogram_count, _sum, _avg, _stddev and _stdvar.
bool IsHistogramCall(std::string_view name);

// The operator of such a call. Numbers are passed over.
StatusOr<OperatorPtr> MakeHistogramCall(const Call& call, Planner& planner);

}  // namespace aevum::promql
