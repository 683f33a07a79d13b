#include "promql/selectors.h"

namespace aevum::promql {
namespace {

void Collect(const Expr& expr, std::vector<const VectorSelector*>* selectors) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
      selectors->push_back(&As<VectorSelector>(expr));
      break;
    case ExprKind::kMatrixSelector:
      selectors->push_back(As<MatrixSelector>(expr).selector.get());
      break;
    case ExprKind::kSubquery:
      Collect(*As<SubqueryExpr>(expr).expr, selectors);
      break;
    case ExprKind::kCall:
      for (const ExprPtr& arg : As<Call>(expr).args) Collect(*arg, selectors);
      break;
    case ExprKind::kAggregate:
      if (As<AggregateExpr>(expr).param) Collect(*As<AggregateExpr>(expr).param, selectors);
      Collect(*As<AggregateExpr>(expr).expr, selectors);
      break;
    case ExprKind::kBinary:
      Collect(*As<BinaryExpr>(expr).lhs, selectors);
      Collect(*As<BinaryExpr>(expr).rhs, selectors);
      break;
    case ExprKind::kUnary:
      Collect(*As<UnaryExpr>(expr).expr, selectors);
      break;
    case ExprKind::kParen:
      Collect(*As<ParenExpr>(expr).expr, selectors);
      break;
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kDuration:
      break;
  }
}

}  // namespace

std::vector<const VectorSelector*> SelectorsOf(const Expr& expr) {
  std::vector<const VectorSelector*> selectors;
  Collect(expr, &selectors);
  return selectors;
}

}  // namespace aevum::promql
