#include "promql/engine/matcher_propagation.h"

#include <algorithm>
#include <string_view>

#include "promql/engine/histogram_operators.h"
#include "promql/engine/planner.h"
#include "promql/engine/range_function.h"
#include "promql/function_table.h"
#include "promql/functions/row_functions.h"

namespace aevum::promql {
namespace {

template <typename T>
T& To(Expr& expr) {
  return static_cast<T&>(expr);
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The argument whose series a function gives one by one with the label, or null.
Expr* ArgumentWithLabel(Call& call, std::string_view label) {
  const std::string_view name = call.function->name;
  // The second fails where there are samples, so that none may be taken from it.
  if (name == "absent_over_time" || name == "double_exponential_smoothing") return nullptr;
  if (FindRangeFunction(name)) {
    for (const ExprPtr& arg : call.args) {
      if (TypeOf(*arg) == ValueType::kMatrix) return arg.get();
    }
    return nullptr;
  }
  if (call.args.empty()) return nullptr;
  if (name == "histogram_quantile") return label == "le" ? nullptr : call.args[1].get();
  if (functions::FindRowFunction(name) != nullptr || name == "round" || name.starts_with("clamp") ||
      name == "histogram_count" || name == "histogram_sum" || name == "histogram_avg") {
    return call.args[0].get();
  }
  return nullptr;
}

bool KeepsLabel(const AggregateExpr& aggregate, std::string_view label) {
  if (HasParameter(aggregate.op) && aggregate.op != AggregateOp::kQuantile) return false;
  return Contains(aggregate.grouping, label) != aggregate.without;
}

// The only selector that an expression reads, where a matcher for the label takes away just the
// series of the result that do not meet it; else null.
VectorSelector* SelectorOf(Expr& expr, std::string_view label) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
      return &To<VectorSelector>(expr);
    case ExprKind::kMatrixSelector:
      return To<MatrixSelector>(expr).selector.get();
    case ExprKind::kSubquery:
      return SelectorOf(*To<SubqueryExpr>(expr).expr, label);
    case ExprKind::kParen:
      return SelectorOf(*To<ParenExpr>(expr).expr, label);
    case ExprKind::kUnary:
      return SelectorOf(*To<UnaryExpr>(expr).expr, label);
    case ExprKind::kAggregate: {
      auto& aggregate = To<AggregateExpr>(expr);
      return KeepsLabel(aggregate, label) ? SelectorOf(*aggregate.expr, label) : nullptr;
    }
    case ExprKind::kCall: {
      Expr* argument = ArgumentWithLabel(To<Call>(expr), label);
      return argument == nullptr ? nullptr : SelectorOf(*argument, label);
    }
    case ExprKind::kBinary: {
      auto& binary = To<BinaryExpr>(expr);
      if (TypeOf(*binary.lhs) == ValueType::kScalar) return SelectorOf(*binary.rhs, label);
      if (TypeOf(*binary.rhs) == ValueType::kScalar) return SelectorOf(*binary.lhs, label);
      return nullptr;
    }
    default:
      return nullptr;
  }
}

// The selector that SelectorOf may give for some label.
const VectorSelector* AnySelectorOf(Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kAggregate:
      return AnySelectorOf(*To<AggregateExpr>(expr).expr);
    case ExprKind::kParen:
      return AnySelectorOf(*To<ParenExpr>(expr).expr);
    case ExprKind::kUnary:
      return AnySelectorOf(*To<UnaryExpr>(expr).expr);
    case ExprKind::kSubquery:
      return AnySelectorOf(*To<SubqueryExpr>(expr).expr);
    case ExprKind::kCall: {
      Expr* argument = ArgumentWithLabel(To<Call>(expr), "");
      return argument == nullptr ? nullptr : AnySelectorOf(*argument);
    }
    default:
      return SelectorOf(expr, "");
  }
}

// Labels that go with the name may have gone from one side.
bool AgreeIn(const VectorMatching& matching, std::string_view label) {
  return !GoesWithName(label) && Contains(matching.labels, label) == matching.on;
}

// Whether no two series of a side can agree in all labels that are matched.
bool IsUnique(const VectorMatching& matching, const Expr& side) {
  const Expr& inner = WithoutParens(side);
  if (!matching.on) return matching.labels.empty() && Planner::UniqueWithoutName(inner);
  if (inner.kind != ExprKind::kAggregate) return false;
  const auto& aggregate = As<AggregateExpr>(inner);
  if (aggregate.without || !Planner::UniqueWithoutName(inner)) return false;
  return std::all_of(aggregate.grouping.begin(), aggregate.grouping.end(),
                     [&](const std::string& label) { return Contains(matching.labels, label); });
}

void Propagate(const Queryable& source, const VectorMatching& matching, Expr& from, Expr& to) {
  const VectorSelector* selector = AnySelectorOf(from);
  if (selector == nullptr) return;
  const model::Matchers matchers = selector->matchers;
  for (const model::Matcher& matcher : matchers) {
    const std::string_view label = matcher.name();
    if (!AgreeIn(matching, label) || !source.MatchesOnLabels(label)) continue;
    if (SelectorOf(from, label) == nullptr) continue;
    VectorSelector* target = SelectorOf(to, label);
    if (target == nullptr) continue;
    // Series that become equal when their names are dropped are an error, which would go too.
    if (&WithoutParens(to) != target && !Planner::UniqueWithoutName(*target)) continue;
    const bool there =
        std::any_of(target->matchers.begin(), target->matchers.end(), [&](const auto& other) {
          return other.name() == label && other.type() == matcher.type() &&
                 other.value() == matcher.value();
        });
    // The matcher for the name stays last.
    if (!there) target->matchers.insert(target->matchers.begin(), matcher);
  }
}

}  // namespace

void PropagateMatchers(const Queryable& source, BinaryExpr* expr) {
  if (!expr->matching || expr->op == BinaryOp::kOr || IsTrim(expr->op)) return;
  const VectorMatching& matching = *expr->matching;
  if (matching.fill_lhs || matching.fill_rhs) return;
  // Duplicates of the "one" side are an error at steps where both sides have series: it would go
  // with the duplicates, and with the last series of the other side.
  const bool left_is_one = matching.card == Cardinality::kOneToMany;
  if (!IsSetOperator(expr->op) && !IsUnique(matching, left_is_one ? *expr->lhs : *expr->rhs))
    return;
  Propagate(source, matching, *expr->lhs, *expr->rhs);
  if (expr->op == BinaryOp::kUnless) return;
  Propagate(source, matching, *expr->rhs, *expr->lhs);
}

}  // namespace aevum::promql
