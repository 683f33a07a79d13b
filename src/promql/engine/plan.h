// What the engine does for an expression, as a tree that people read.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/optimizer.h"
#include "promql/engine/step_counts.h"

namespace aevum::promql {

// An operator: its kind in brackets, what it does, whether it streams its rows or holds them, as
// "[aggregation] sum by (job), holds a row a group".
struct PlanNode {
  std::string name;
  std::vector<PlanNode> children;
  // Measured by an evaluation, else zero. All but `series` with what is below.
  std::chrono::nanoseconds execution_time{0};
  std::int64_t series = 0;         // that it gave
  std::int64_t total_samples = 0;  // that its steps looked at, see StepCounts
  std::int64_t peak_samples = 0;   // of the largest batch that was given
};

// Measures the operators of one evaluation. Used by its thread; the counts may be added to by
// others.
class Analysis {
 public:
  // The same rows, measured as those of `expr`.
  OperatorPtr Measure(const Expr& expr, OperatorPtr source);
  // Where the operator that reads samples for `expr` counts them.
  StepCounts* CountsOf(const Expr& expr, StepCounts* whole);
  // Time that was spent for `expr` outside of an operator.
  void AddTime(const Expr& expr, std::chrono::nanoseconds time) { measured_[&expr].time += time; }

  // Puts what was measured into the node of `expr`, whose children have theirs. The samples of
  // `inner`, which may be null, are not added to those of the node.
  void Annotate(const Expr& expr, const Expr* inner, const std::vector<const Expr*>& children,
                PlanNode* node) const;

 private:
  struct Measured {
    std::chrono::nanoseconds time{0};
    std::int64_t series = 0;
    std::int64_t peak_samples = 0;
    std::unique_ptr<StepCounts> counts;
  };
  class MeasuredOperator;

  std::unordered_map<const Expr*, Measured> measured_;
};

// The plan of a checked tree on a number of steps; with what `analysis` has measured and what
// leaves evaluate as `plan` says, unless they are null. Evaluates nothing.
PlanNode PlanOf(const Expr& expr, const PlanNotes& notes, std::size_t steps,
                const Analysis* analysis = nullptr, const DistributedPlan* plan = nullptr);

}  // namespace aevum::promql
