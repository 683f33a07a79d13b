#include "promql/engine/optimizer.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "promql/engine/elementwise.h"
#include "promql/engine/matcher_propagation.h"
#include "promql/function_table.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

// Beyond this, looking for equal parts could take longer than it saves.
constexpr std::size_t kMaxAggregations = 100;
constexpr int kMaxDepthOfShared = 100;

const NumberLiteral* NumberOf(const ExprPtr& expr) {
  return expr->kind == ExprKind::kNumber ? &As<NumberLiteral>(*expr) : nullptr;
}

template <typename T>
T& To(Expr& expr) {
  return static_cast<T&>(expr);
}

// Calls `visit` for the pointer to each child that is an expression of its own.
template <typename Visit>
void ForEachChild(Expr& expr, Visit visit) {
  switch (expr.kind) {
    case ExprKind::kSubquery:
      visit(To<SubqueryExpr>(expr).expr);
      break;
    case ExprKind::kCall:
      for (ExprPtr& arg : To<Call>(expr).args) visit(arg);
      break;
    case ExprKind::kAggregate:
      if (To<AggregateExpr>(expr).param != nullptr) visit(To<AggregateExpr>(expr).param);
      visit(To<AggregateExpr>(expr).expr);
      break;
    case ExprKind::kBinary:
      visit(To<BinaryExpr>(expr).lhs);
      visit(To<BinaryExpr>(expr).rhs);
      break;
    case ExprKind::kUnary:
      visit(To<UnaryExpr>(expr).expr);
      break;
    case ExprKind::kParen:
      visit(To<ParenExpr>(expr).expr);
      break;
    default:
      break;
  }
}

void Replace(ExprPtr* expr, double value) {
  auto number = std::make_unique<NumberLiteral>();
  number->value = value;
  number->range = (*expr)->range;
  *expr = std::move(number);
}

void FoldConstants(ExprPtr* expr) {
  ForEachChild(**expr, [](ExprPtr& child) { FoldConstants(&child); });
  switch ((*expr)->kind) {
    case ExprKind::kBinary: {
      const auto& binary = As<BinaryExpr>(**expr);
      const NumberLiteral* lhs = NumberOf(binary.lhs);
      const NumberLiteral* rhs = NumberOf(binary.rhs);
      if (lhs != nullptr && rhs != nullptr) Replace(expr, Apply(binary.op, lhs->value, rhs->value));
      break;
    }
    case ExprKind::kUnary: {
      const auto& unary = As<UnaryExpr>(**expr);
      if (const NumberLiteral* number = NumberOf(unary.expr))
        Replace(expr, unary.negate ? -number->value : number->value);
      break;
    }
    case ExprKind::kParen:
      if (const NumberLiteral* number = NumberOf(As<ParenExpr>(**expr).expr))
        Replace(expr, number->value);
      break;
    default:
      break;
  }
}

void PropagateEverywhere(const Queryable& source, Expr* expr) {
  ForEachChild(*expr, [&](ExprPtr& child) { PropagateEverywhere(source, child.get()); });
  if (expr->kind == ExprKind::kBinary) PropagateMatchers(source, &To<BinaryExpr>(*expr));
}

// Functions whose value depends on the time of the step.
bool LooksAtTheStep(std::string_view function) {
  constexpr std::array kFunctions = {
      std::string_view("time"),          std::string_view("timestamp"),
      std::string_view("minute"),        std::string_view("hour"),
      std::string_view("day_of_week"),   std::string_view("day_of_month"),
      std::string_view("day_of_year"),   std::string_view("days_in_month"),
      std::string_view("month"),         std::string_view("year"),
      std::string_view("predict_linear")};
  return std::find(kFunctions.begin(), kFunctions.end(), function) != kFunctions.end();
}

bool IsFixed(const TimeModifiers& time) { return time.at || time.at_edge != AtEdge::kNone; }

// Whether the value of a node is the same at every step. Parts that are, within a node that is not,
// are noted.
bool FindInvariant(Expr& expr, PlanNotes* notes) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
      return IsFixed(As<VectorSelector>(expr).time);
    case ExprKind::kMatrixSelector:
      return IsFixed(As<MatrixSelector>(expr).selector->time);
    default:
      break;
  }
  std::vector<const Expr*> invariant;
  bool all = true;
  ForEachChild(expr, [&](ExprPtr& child) {
    if (FindInvariant(*child, notes)) {
      invariant.push_back(child.get());
    } else {
      all = false;
    }
  });
  if (expr.kind == ExprKind::kSubquery) {
    // Its steps are its own, whether or not the subquery is fixed.
    if (all) notes->step_invariant.insert(invariant.begin(), invariant.end());
    return IsFixed(As<SubqueryExpr>(expr).time);
  }
  if (expr.kind == ExprKind::kCall && LooksAtTheStep(As<Call>(expr).function->name)) all = false;
  if (!all) notes->step_invariant.insert(invariant.begin(), invariant.end());
  return all;
}

bool IsWorthKeeping(const Expr& expr) {
  return TypeOf(expr) == ValueType::kVector && expr.kind != ExprKind::kParen;
}

void FindAggregations(Expr& expr, std::vector<const Expr*>* aggregations) {
  if (expr.kind == ExprKind::kAggregate) aggregations->push_back(&expr);
  ForEachChild(expr, [&](ExprPtr& child) { FindAggregations(*child, aggregations); });
}

// An aggregation is small beside what it is made of, so keeping its rows for the next that is equal
// costs little.
void FindEqualAggregations(Expr& expr, PlanNotes* notes) {
  if (expr.depth > kMaxDepthOfShared) return;
  std::vector<const Expr*> aggregations;
  FindAggregations(expr, &aggregations);
  if (aggregations.size() < 2 || aggregations.size() > kMaxAggregations) return;
  std::unordered_map<std::string, std::vector<const Expr*>> by_text;
  for (const Expr* aggregation : aggregations)
    by_text[ToString(*aggregation)].push_back(aggregation);
  for (const auto& [text, equal] : by_text) {
    if (equal.size() < 2) continue;
    const Expr* last = *std::max_element(equal.begin(), equal.end(), [](auto* a, auto* b) {
      return a->range.start < b->range.start;
    });
    for (const Expr* one : equal) notes->same_as[one] = last;
  }
}

}  // namespace

PlanNotes Optimize(const Queryable& source, ExprPtr* expr) {
  FoldConstants(expr);
  PropagateEverywhere(source, expr->get());
  PlanNotes notes;
  if (FindInvariant(**expr, &notes)) notes.step_invariant.insert(expr->get());
  std::erase_if(notes.step_invariant, [](const Expr* part) { return !IsWorthKeeping(*part); });
  FindEqualAggregations(**expr, &notes);
  return notes;
}

}  // namespace aevum::promql
