// The functions that need all series of their argument before they can give the first.
#pragma once

#include "promql/ast.h"
#include "promql/engine/planner.h"

namespace aevum::promql {

// histogram_quantile(), histogram_fraction() and histogram_quantiles(), of classic and native
// histograms.
StatusOr<OperatorPtr> MakeHistogramQuantile(const Call& call, Planner& planner);
StatusOr<OperatorPtr> MakeHistogramFraction(const Call& call, Planner& planner);
StatusOr<OperatorPtr> MakeHistogramQuantiles(const Call& call, Planner& planner);

// sort(), sort_desc(), sort_by_label(), sort_by_label_desc(): they order an instant query; range
// queries are ordered by labels anyway and get a warning.
StatusOr<OperatorPtr> MakeSort(const Call& call, Planner& planner);

}  // namespace aevum::promql
