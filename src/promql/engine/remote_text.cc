#include "promql/engine/remote_text.h"

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "promql/engine/planner.h"
#include "promql/function_table.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

// The node as its type, const as it is.
template <typename T, typename Node>
auto& To(Node& expr) {
  return static_cast<std::conditional_t<std::is_const_v<Node>, const T, T>&>(expr);
}

// The children that are expressions themselves.
template <typename Node>
auto ChildrenOf(Node& expr) {
  using Child = std::conditional_t<std::is_const_v<Node>, const ExprPtr, ExprPtr>;
  std::vector<Child*> children;
  switch (expr.kind) {
    case ExprKind::kSubquery:
      children = {&To<SubqueryExpr>(expr).expr};
      break;
    case ExprKind::kCall:
      for (Child& arg : To<Call>(expr).args) children.push_back(&arg);
      break;
    case ExprKind::kAggregate:
      children = {&To<AggregateExpr>(expr).expr};
      if (To<AggregateExpr>(expr).param) children.push_back(&To<AggregateExpr>(expr).param);
      break;
    case ExprKind::kBinary:
      children = {&To<BinaryExpr>(expr).lhs, &To<BinaryExpr>(expr).rhs};
      break;
    case ExprKind::kUnary:
      children = {&To<UnaryExpr>(expr).expr};
      break;
    case ExprKind::kParen:
      children = {&To<ParenExpr>(expr).expr};
      break;
    default:
      break;
  }
  return children;
}

class Rewriter {
 public:
  Rewriter(const model::Matchers& enforced, const QueryState& state)
      : enforced_(enforced), state_(state) {}

  Status Rewrite(ExprPtr* expr, std::int64_t shift_ms) const {
    switch ((*expr)->kind) {
      case ExprKind::kVectorSelector:
        RewriteSelector(&To<VectorSelector>(**expr), shift_ms);
        return OkStatus();
      case ExprKind::kMatrixSelector:
        RewriteSelector(To<MatrixSelector>(**expr).selector.get(), shift_ms);
        return OkStatus();
      case ExprKind::kSubquery: {
        auto& subquery = To<SubqueryExpr>(**expr);
        RewriteTime(&subquery.time, shift_ms);
        if (subquery.step_ms == 0) subquery.step_ms = state_.default_subquery_step_ms;
        return Rewrite(&subquery.expr, 0);
      }
      case ExprKind::kCall: {
        const auto& call = As<Call>(**expr);
        if (!IsOfQuery(call)) break;
        ASSIGN_OR_RETURN(const double value, OfQuery(call.function->name, state_));
        *expr = Literal(value);
        return OkStatus();
      }
      default:
        break;
    }
    for (ExprPtr* child : ChildrenOf(**expr)) RETURN_IF_ERROR(Rewrite(child, shift_ms));
    return OkStatus();
  }

 private:
  static bool IsOfQuery(const Call& call) {
    const std::string_view name = call.function->name;
    return name == "start" || name == "end" || name == "range" || name == "step";
  }

  // In parentheses: a sign would bind to what stands around it.
  static ExprPtr Literal(double value) {
    auto number = std::make_unique<NumberLiteral>();
    number->value = value;
    auto paren = std::make_unique<ParenExpr>();
    paren->expr = std::move(number);
    return paren;
  }

  void RewriteSelector(VectorSelector* selector, std::int64_t shift_ms) const {
    RewriteTime(&selector->time, shift_ms);
    selector->matchers = WithEnforced(enforced_, std::move(selector->matchers));
  }

  void RewriteTime(TimeModifiers* time, std::int64_t shift_ms) const {
    if (time->at_edge != AtEdge::kNone) {
      time->at = time->at_edge == AtEdge::kStart ? state_.query_start : state_.query_end;
      time->at_edge = AtEdge::kNone;
    }
    if (!time->at) time->offset_ms -= shift_ms;
  }

  const model::Matchers& enforced_;
  const QueryState& state_;
};

// Both trees have the same form, but for numbers in place of calls.
void Pair(const Expr& written, const Expr& original, std::map<int, const Expr*>* places) {
  places->emplace(written.range.start, &original);
  const auto left = ChildrenOf(written);
  const auto right = ChildrenOf(original);
  if (left.size() != right.size()) return;
  for (std::size_t i = 0; i < left.size(); ++i) Pair(**left[i], **right[i], places);
}

}  // namespace

model::Matchers WithEnforced(const model::Matchers& enforced, model::Matchers matchers) {
  std::erase_if(matchers, [&](const model::Matcher& own) {
    return std::any_of(enforced.begin(), enforced.end(),
                       [&](const model::Matcher& e) { return e.name() == own.name(); });
  });
  matchers.insert(matchers.begin(), enforced.begin(), enforced.end());
  return matchers;
}

StatusOr<RemoteText> MakeRemoteText(const Expr& expr, std::int64_t shift_ms,
                                    const model::Matchers& enforced, const QueryState& state,
                                    const ParseOptions& options) {
  // Reading the text anew gives a tree of its own, which can be changed.
  const std::string plain = ToString(expr);
  ASSIGN_OR_RETURN(ExprPtr tree, Parse(plain, options));
  if (ToString(*tree) != plain) return Internal("the text does not read back: {}", plain);
  RETURN_IF_ERROR(Rewriter(enforced, state).Rewrite(&tree, shift_ms));
  RemoteText result;
  result.text = ToString(*tree);
  ASSIGN_OR_RETURN(const ExprPtr written, Parse(result.text, options));
  if (ToString(*written) != result.text)
    return Internal("the text does not read back: {}", result.text);
  Pair(*std::as_const(written), expr, &result.places);
  return result;
}

}  // namespace aevum::promql
