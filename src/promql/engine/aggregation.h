// Aggregations: sum by (job) (...) and its kin.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"

namespace aevum::promql {

// The labels of the group of a series: those of `by`, or all but those of `without` and the name.
class Grouping {
 public:
  Grouping(std::vector<std::string> labels, bool without)
      : labels_(std::move(labels)), without_(without) {}
  // One group for all.
  bool IsSingle() const { return !without_ && labels_.empty(); }
  model::Labels Of(const model::Labels& labels) const;

 private:
  std::vector<std::string> labels_;
  bool without_;
};

// sum, avg, count, min, max, group, stddev, stdvar: one row a group is held, however many series
// there are. Groups come in the order of their first series.
OperatorPtr MakeAggregation(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                            OperatorPtr source);

// topk, bottomk, limitk, quantile: all series of a step are needed at once. `parameter` has a value
// a step.
OperatorPtr MakeRanking(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                        std::vector<double> parameter, OperatorPtr source);

// count_values("label", ...).
OperatorPtr MakeCountValues(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                            std::string label, OperatorPtr source);

}  // namespace aevum::promql
