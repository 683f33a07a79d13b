// Trees to operators.
#pragma once

#include <string>
#include <vector>

#include "promql/ast.h"
#include "promql/engine/elementwise.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/range_function.h"
#include "promql/engine/x_functions.h"

namespace aevum::promql {

struct RemotePart;

// Makes the operators of an expression on a grid. What is not there yet is Unimplemented, by name.
// Operators borrow the tree and the state.
class Planner {
 public:
  Planner(QueryState& state, Grid grid) : state_(state), grid_(grid) {}

  // Of an expression of type vector; `around` is the function or aggregation around it, a hint for
  // the source.
  StatusOr<OperatorPtr> Vector(const Expr& expr, std::string_view around = "");
  // The value of an expression of type scalar at each step.
  StatusOr<std::vector<double>> Scalar(const Expr& expr);
  // A value at every step. Charged until the end of the query, as all scalars are.
  StatusOr<std::vector<double>> Constant(double value);
  // A string argument.
  static StatusOr<std::string> String(const Expr& expr);

  // Notes a warning for each rank that is not between 0 and 1.
  void WarnOfQuantile(const std::vector<double>& ranks, const Expr& expr);

  QueryState& state() { return state_; }
  const Grid& grid() const { return grid_; }
  std::size_t steps() const { return grid_.steps; }

  // Whether series of the expression stay different when their names are dropped.
  static bool UniqueWithoutName(const Expr& expr);

 private:
  StatusOr<OperatorPtr> EveryStep(const Expr& expr, std::string_view around);
  StatusOr<OperatorPtr> AnyVector(const Expr& expr, std::string_view around);
  // The same, measured where somebody asks.
  StatusOr<OperatorPtr> MeasuredVector(const Expr& expr, std::string_view around);
  StatusOr<std::vector<double>> AnyScalar(const Expr& expr);
  // The rows of an instant selector that `expr` reads, counted where somebody asks.
  OperatorPtr Counted(const Expr& expr, OperatorPtr source);
  StepCounts* CountsOf(const Expr& expr);
  StatusOr<OperatorPtr> Aggregate(const AggregateExpr& expr);
  StatusOr<OperatorPtr> AggregateAnew(const AggregateExpr& expr);
  void WarnOfExtremes(const std::vector<double>& ranks, const Expr& expr);
  StatusOr<OperatorPtr> AggregateRows(const AggregateExpr& expr, OperatorPtr source);
  StatusOr<OperatorPtr> Remote(const RemotePart& part);
  StatusOr<OperatorPtr> Binary(const BinaryExpr& expr);
  StatusOr<OperatorPtr> BinaryRows(const BinaryExpr& expr);
  StatusOr<OperatorPtr> Unary(const UnaryExpr& expr);
  StatusOr<OperatorPtr> Call(const promql::Call& call);
  StatusOr<OperatorPtr> Range(const promql::Call& call, RangeFunction function);
  StatusOr<OperatorPtr> XRange(const promql::Call& call, XFunction function);
  OperatorPtr Absent(const Expr& selector, OperatorPtr source, NameRule names);
  StatusOr<std::vector<double>> ScalarOfVector(const Expr& expr);
  std::int64_t ScalarBytes() const;
  Status CheckParameters(const promql::Call& call, RangeFunction* function);

  QueryState& state_;
  const Grid grid_;
};

// What start(), end(), range() and step() say of the query, in seconds; an instant query has no
// step. Unimplemented for other names.
StatusOr<double> OfQuery(std::string_view name, const QueryState& state);

}  // namespace aevum::promql
