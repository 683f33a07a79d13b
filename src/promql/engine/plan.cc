#include "promql/engine/plan.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include <fmt/core.h>

#include "promql/engine/distribute.h"
#include "promql/engine/planner.h"
#include "promql/function_table.h"
#include "promql/printer.h"

namespace aevum::promql {

using Clock = std::chrono::steady_clock;

class Analysis::MeasuredOperator final : public Operator {
 public:
  MeasuredOperator(Measured& measured, OperatorPtr source)
      : measured_(measured), source_(std::move(source)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    const auto began = Clock::now();
    StatusOr<bool> more = source_->Next(out);
    measured_.time += Clock::now() - began;
    if (!more.ok() || !*more) return more;
    measured_.series += static_cast<std::int64_t>(out->size());
    measured_.peak_samples = std::max(measured_.peak_samples, SamplesIn(*out));
    return more;
  }

 private:
  static std::int64_t SamplesIn(const RowBatch& rows) {
    StepCounts counts(nullptr);
    counts.AddRows(rows);
    return counts.total();
  }

  Measured& measured_;
  const OperatorPtr source_;
};

OperatorPtr Analysis::Measure(const Expr& expr, OperatorPtr source) {
  return std::make_unique<MeasuredOperator>(measured_[&expr], std::move(source));
}

StepCounts* Analysis::CountsOf(const Expr& expr, StepCounts* whole) {
  std::unique_ptr<StepCounts>& counts = measured_[&expr].counts;
  counts = std::make_unique<StepCounts>(whole);
  return counts.get();
}

namespace {

constexpr std::string_view kStreams = ", streams";
constexpr std::string_view kHoldsOne = ", holds one row";
constexpr std::string_view kHoldsGroups = ", holds a row a group";
constexpr std::string_view kHoldsAll = ", holds all rows";

// An operator and what it takes its rows or values from.
struct Described {
  std::string name;
  std::vector<const Expr*> children;
  const Expr* inner = nullptr;  // the child whose samples the operator has counted: a subquery's
};

// Rows that lose their names may become equal, so that they are needed whole.
std::string_view WithoutNames(const Expr& expr) {
  return Planner::UniqueWithoutName(expr) ? kStreams : kHoldsAll;
}

Described DescribeAggregate(const AggregateExpr& expr) {
  std::string text = ShortString(expr);
  if (text.ends_with(' ')) text.pop_back();
  const std::string_view rows = expr.op == AggregateOp::kLimitRatio ? kStreams
                                : HasParameter(expr.op)             ? kHoldsAll
                                                                    : kHoldsGroups;
  Described described{fmt::format("[aggregation] {}{}", text, rows), {expr.expr.get()}};
  if (expr.param) described.children.push_back(expr.param.get());
  return described;
}

Described DescribeBinary(const BinaryExpr& expr) {
  const std::string text = ShortString(expr);
  std::vector<const Expr*> children = {expr.lhs.get(), expr.rhs.get()};
  if (expr.of_scalars) return {fmt::format("[scalar] {}", text), std::move(children)};
  const bool left_vector = TypeOf(*expr.lhs) == ValueType::kVector;
  if (left_vector && TypeOf(*expr.rhs) == ValueType::kVector)
    return {fmt::format("[matching] {}{}", text, kHoldsAll), std::move(children)};
  const std::string_view rows = IsComparison(expr.op) && !expr.return_bool
                                    ? kStreams
                                    : WithoutNames(left_vector ? *expr.lhs : *expr.rhs);
  return {fmt::format("[arithmetic] {}{}", text, rows), std::move(children)};
}

Described DescribeWindow(const Call& call, const Expr& range, std::vector<const Expr*> others) {
  const std::string_view name = call.function->name;
  const auto function = FindRangeFunction(name);
  std::string_view rows = WithoutNames(range);
  if (name == "absent_over_time") rows = kHoldsOne;
  if (function.has_value() && function->keeps_name) rows = kStreams;
  if (range.kind != ExprKind::kSubquery)
    return {fmt::format("[window] {}({}){}", name, ToString(range), rows), std::move(others)};
  const Expr* inner = As<SubqueryExpr>(range).expr.get();
  others.insert(others.begin(), inner);
  return {fmt::format("[window] {}({}){}", name, ShortString(range), rows), std::move(others),
          inner};
}

// What a function that is not over ranges does with its rows.
std::string_view RowsOf(const Call& call) {
  const std::string_view name = call.function->name;
  if (call.args.empty() || name == "vector" || name == "absent") return kHoldsOne;
  for (const std::string_view whole : {"label_", "sort", "info"}) {
    if (name.starts_with(whole)) return kHoldsAll;
  }
  for (const std::string_view whole : {"quantile", "quantiles", "fraction"}) {
    if (name.ends_with(whole)) return kHoldsAll;
  }
  return WithoutNames(*call.args[0]);
}

Described DescribeCall(const Call& call) {
  const std::string_view name = call.function->name;
  std::vector<const Expr*> children;
  const Expr* range = nullptr;
  for (const ExprPtr& arg : call.args) {
    if (TypeOf(*arg) == ValueType::kMatrix) {
      range = &WithoutParens(*arg);
    } else {
      children.push_back(arg.get());
    }
  }
  if (range != nullptr) return DescribeWindow(call, *range, std::move(children));
  if (call.function->return_type == ValueType::kScalar)
    return {fmt::format("[scalar] {}()", name), std::move(children)};
  if (name == "timestamp" && WithoutParens(*call.args[0]).kind == ExprKind::kVectorSelector)
    return {fmt::format("[selector] {}{}", ToString(call), kStreams)};
  return {fmt::format("[function] {}{}", name, RowsOf(call)), std::move(children)};
}

Described Describe(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
      return {fmt::format("[selector] {}{}", ToString(expr), kStreams)};
    case ExprKind::kMatrixSelector:
      return {fmt::format("[samples] {}{}", ToString(expr), kHoldsAll)};
    case ExprKind::kSubquery: {
      const Expr* inner = As<SubqueryExpr>(expr).expr.get();
      return {fmt::format("[subquery] {}{}", ShortString(expr), kHoldsAll), {inner}, inner};
    }
    case ExprKind::kCall:
      return DescribeCall(As<Call>(expr));
    case ExprKind::kAggregate:
      return DescribeAggregate(As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return DescribeBinary(As<BinaryExpr>(expr));
    case ExprKind::kUnary: {
      const Expr& operand = *As<UnaryExpr>(expr).expr;
      if (TypeOf(operand) == ValueType::kScalar) return {"[scalar] -", {&operand}};
      return {fmt::format("[unary] -{}", WithoutNames(operand)), {&operand}};
    }
    case ExprKind::kString:
      return {fmt::format("[string] {}", ToString(expr))};
    case ExprKind::kNumber:
    case ExprKind::kDuration:
    case ExprKind::kParen:
      break;
  }
  return {fmt::format("[scalar] {}", ToString(expr))};
}

// With what the optimiser has noted, and what leaves evaluate.
Described DescribeNoted(const Expr& expr, const PlanNotes& notes, std::size_t steps,
                        const DistributedPlan* plan) {
  if (plan != nullptr && plan->Find(expr) != nullptr)
    return {fmt::format("[remote] {}{}", plan->ToString(expr), kStreams)};
  Described described = Describe(expr);
  if (steps > 1 && notes.step_invariant.contains(&expr)) described.name += ", once for all steps";
  const auto same = notes.same_as.find(&expr);
  if (same == notes.same_as.end() || same->second == &expr || plan != nullptr) return described;
  return {described.name + ", taken from its equal"};
}

// Parentheses and a plus are no operators.
const Expr& Operation(const Expr& expr) {
  const Expr* inner = &WithoutParens(expr);
  while (inner->kind == ExprKind::kUnary && !As<UnaryExpr>(*inner).negate)
    inner = &WithoutParens(*As<UnaryExpr>(*inner).expr);
  return *inner;
}

}  // namespace

void Analysis::Annotate(const Expr& expr, const Expr* inner,
                        const std::vector<const Expr*>& children, PlanNode* node) const {
  const auto found = measured_.find(&expr);
  if (found != measured_.end()) {
    node->execution_time = found->second.time;
    node->series = found->second.series;
    node->peak_samples = found->second.peak_samples;
    if (found->second.counts) node->total_samples = found->second.counts->total();
  }
  for (std::size_t i = 0; i < children.size(); ++i) {
    node->peak_samples = std::max(node->peak_samples, node->children[i].peak_samples);
    if (children[i] != inner) node->total_samples += node->children[i].total_samples;
  }
}

// Without recursion: trees are deep.
PlanNode PlanOf(const Expr& expr, const PlanNotes& notes, std::size_t steps,
                const Analysis* analysis, const DistributedPlan* plan) {
  struct Made {
    const Expr* expr;
    PlanNode* node;
    Described described;
  };
  PlanNode root;
  std::vector<Made> made = {{.expr = &Operation(expr), .node = &root, .described = {}}};
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i].described = DescribeNoted(*made[i].expr, notes, steps, plan);
    PlanNode& node = *made[i].node;
    node.name = std::move(made[i].described.name);
    const std::size_t children = made[i].described.children.size();
    node.children.resize(children);
    for (std::size_t c = 0; c < children; ++c) {
      made.push_back({.expr = &Operation(*made[i].described.children[c]),
                      .node = &node.children[c],
                      .described = {}});
    }
  }
  // Children stand behind their parents.
  for (auto it = made.rbegin(); analysis != nullptr && it != made.rend(); ++it)
    analysis->Annotate(*it->expr, it->described.inner, it->described.children, it->node);
  return root;
}

}  // namespace aevum::promql
