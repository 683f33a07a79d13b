#include "shrinking.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "promql/ast.h"
#include "promql/parser.h"
#include "promql/printer.h"
#include "query_generator.h"

namespace aevum::promql::differential {
namespace {

template <typename T>
T& To(Expr& expr) {
  return static_cast<T&>(expr);
}

// The places of a node where its children hang.
std::vector<ExprPtr*> Slots(Expr& expr) {
  std::vector<ExprPtr*> slots;
  switch (expr.kind) {
    case ExprKind::kParen:
      slots = {&To<ParenExpr>(expr).expr};
      break;
    case ExprKind::kUnary:
      slots = {&To<UnaryExpr>(expr).expr};
      break;
    case ExprKind::kBinary:
      slots = {&To<BinaryExpr>(expr).lhs, &To<BinaryExpr>(expr).rhs};
      break;
    case ExprKind::kAggregate:
      slots = {&To<AggregateExpr>(expr).expr, &To<AggregateExpr>(expr).param};
      break;
    case ExprKind::kSubquery:
      slots = {&To<SubqueryExpr>(expr).expr};
      break;
    case ExprKind::kCall:
      for (ExprPtr& arg : To<Call>(expr).args) slots.push_back(&arg);
      break;
    default:
      break;
  }
  std::erase_if(slots, [](const ExprPtr* slot) { return *slot == nullptr; });
  return slots;
}

// All below a node, the node itself not, nearest first.
void Descendants(Expr& expr, std::vector<ExprPtr*>* all) {
  for (ExprPtr* slot : Slots(expr)) all->push_back(slot);
  for (ExprPtr* slot : Slots(expr)) Descendants(**slot, all);
}

TimeModifiers* ModifiersOf(Expr& expr) {
  if (expr.kind == ExprKind::kVectorSelector) return &To<VectorSelector>(expr).time;
  if (expr.kind == ExprKind::kMatrixSelector) return &To<MatrixSelector>(expr).selector->time;
  if (expr.kind == ExprKind::kSubquery) return &To<SubqueryExpr>(expr).time;
  return nullptr;
}

// The texts of the tree with one change at `slot`.
void ChangesAt(const ExprPtr& root, ExprPtr* slot, std::vector<std::string>* texts) {
  std::vector<ExprPtr*> below;
  Descendants(**slot, &below);
  const ValueType type = TypeOf(**slot);
  for (ExprPtr* part : below) {
    if (TypeOf(**part) != type) continue;
    ExprPtr whole = std::move(*slot);
    ExprPtr taken = std::move(*part);
    *slot = std::move(taken);
    texts->push_back(ToString(*root));
    *part = std::move(*slot);
    *slot = std::move(whole);
  }
  if (TimeModifiers* time = ModifiersOf(**slot)) {
    TimeModifiers kept = std::exchange(*time, {});
    texts->push_back(ToString(*root));
    *time = std::move(kept);
  }
  if (type == ValueType::kScalar && (*slot)->kind != ExprKind::kNumber) {
    ExprPtr whole = std::exchange(*slot, std::make_unique<NumberLiteral>());
    texts->push_back(ToString(*root));
    *slot = std::move(whole);
  }
}

std::vector<std::string> Smaller(const std::string& text) {
  StatusOr<ExprPtr> parsed = Parse(text, kParseOptions);
  if (!parsed.ok()) return {};
  ExprPtr root = *std::move(parsed);
  std::vector<ExprPtr*> slots = {&root};
  Descendants(*root, &slots);
  std::vector<std::string> texts;
  for (ExprPtr* slot : slots) ChangesAt(root, slot, &texts);
  std::erase_if(texts, [&](const std::string& one) { return one.size() >= text.size(); });
  std::stable_sort(texts.begin(), texts.end(),
                   [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
  return texts;
}

}  // namespace

std::string Shrink(std::string text, const std::function<bool(const std::string&)>& differs) {
  while (true) {
    const std::vector<std::string> smaller = Smaller(text);
    const auto next = std::find_if(smaller.begin(), smaller.end(), differs);
    if (next == smaller.end()) return text;
    text = *next;
  }
}

}  // namespace aevum::promql::differential
