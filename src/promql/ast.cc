#include "promql/ast.h"

#include <array>

#include "promql/function_table.h"

namespace aevum::promql {

std::string_view DocumentedType(ValueType type) {
  switch (type) {
    case ValueType::kVector:
      return "instant vector";
    case ValueType::kMatrix:
      return "range vector";
    default:
      return ValueTypeName(type);
  }
}

std::string_view ValueTypeName(ValueType type) {
  static constexpr std::array<std::string_view, 5> kNames = {"none", "scalar", "vector", "matrix",
                                                             "string"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string_view OperatorText(BinaryOp op) {
  static constexpr std::array<std::string_view, 18> kTexts = {"+",   "-",     "*",     "/",  "%",
                                                              "^",   "atan2", "==",    "!=", ">",
                                                              "<",   ">=",    "<=",    "</", ">/",
                                                              "and", "or",    "unless"};
  return kTexts[static_cast<std::size_t>(op)];
}

std::string_view AggregateName(AggregateOp op) {
  static constexpr std::array<std::string_view, 14> kNames = {
      "sum",    "avg",  "count",   "min",          "max",      "group",  "stddev",
      "stdvar", "topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"};
  return kNames[static_cast<std::size_t>(op)];
}

ValueType TypeOf(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumber:
    case ExprKind::kDuration:
      return ValueType::kScalar;
    case ExprKind::kString:
      return ValueType::kString;
    case ExprKind::kVectorSelector:
    case ExprKind::kAggregate:
      return ValueType::kVector;
    case ExprKind::kMatrixSelector:
    case ExprKind::kSubquery:
      return ValueType::kMatrix;
    case ExprKind::kCall:
      return As<Call>(expr).function->return_type;
    case ExprKind::kParen:
      return TypeOf(*As<ParenExpr>(expr).expr);
    case ExprKind::kUnary:
      return TypeOf(*As<UnaryExpr>(expr).expr);
    case ExprKind::kBinary:
      return As<BinaryExpr>(expr).of_scalars ? ValueType::kScalar : ValueType::kVector;
  }
  return ValueType::kNone;
}

const Expr& WithoutParens(const Expr& expr) {
  const Expr* inner = &expr;
  while (inner->kind == ExprKind::kParen) inner = As<ParenExpr>(*inner).expr.get();
  return *inner;
}

}  // namespace aevum::promql
