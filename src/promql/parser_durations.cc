// Durations: literals, and arithmetic over them.
#include <cmath>

#include <fmt/core.h>

#include "promql/parser_state.h"

namespace aevum::promql {
namespace {

constexpr int kPow = 3;
constexpr int kMul = 2;
constexpr int kAdd = 1;

bool ToDurationOp(const Token& token, DurationExpr::Op* op, int* precedence) {
  if (token.kind != TokenKind::kBinaryOperator) return false;
  switch (token.binary_op) {
    case BinaryOp::kAdd:
      *op = DurationExpr::Op::kAdd;
      *precedence = kAdd;
      return true;
    case BinaryOp::kSub:
      *op = DurationExpr::Op::kSub;
      *precedence = kAdd;
      return true;
    case BinaryOp::kMul:
      *op = DurationExpr::Op::kMul;
      *precedence = kMul;
      return true;
    case BinaryOp::kDiv:
      *op = DurationExpr::Op::kDiv;
      *precedence = kMul;
      return true;
    case BinaryOp::kMod:
      *op = DurationExpr::Op::kMod;
      *precedence = kMul;
      return true;
    case BinaryOp::kPow:
      *op = DurationExpr::Op::kPow;
      *precedence = kPow;
      return true;
    default:
      return false;
  }
}

// Seconds whose nanoseconds fit 63 bits.
bool OutOfRange(double seconds) {
  return !(seconds * 1e9 < 9.223372036854775807e18 && seconds * 1e9 > -9.223372036854775808e18);
}

bool IsZero(const Expr& expr) {
  return expr.kind == ExprKind::kNumber && As<NumberLiteral>(expr).value == 0;
}

}  // namespace

void Parser::RequireDurationExpressions(const Expr& expr) {
  if (!options_.duration_expressions)
    Note(expr.range, "experimental duration expression is not enabled");
}

ExprPtr Parser::CheckedDurationLiteral(ExprPtr expr) {
  auto& number = static_cast<NumberLiteral&>(*expr);
  if (OutOfRange(number.value)) {
    Note(number.range, "duration out of range");
    number.value = 0;
  }
  return expr;
}

ExprPtr Parser::PositiveDuration() {
  ExprPtr duration = DurationBinary(0);
  if (duration != nullptr && duration->kind == ExprKind::kNumber &&
      As<NumberLiteral>(*duration).value <= 0) {
    Note(duration->range, "duration must be greater than 0");
  }
  return duration;
}

// Behind offset only a primary with a sign: `foo offset -2^2` is `(foo offset -2)^2`.
ExprPtr Parser::OffsetDuration() {
  if (IsSign()) {
    const Token sign = token_;
    Advance();
    return DurationUnary(sign, /*offset=*/true);
  }
  return DurationPrimary();
}

ExprPtr Parser::DurationUnary(const Token& sign, bool offset) {
  if (++nesting_ > kMaxNesting) {
    Note(sign.range(), fmt::format("the expression nests deeper than {} levels", kMaxNesting));
    return nullptr;
  }
  ExprPtr operand =
      offset ? (IsSign() ? OffsetDuration() : DurationPrimary()) : DurationBinary(kPow);
  --nesting_;
  if (operand == nullptr) return nullptr;
  return Negate(sign, std::move(operand));
}

ExprPtr Parser::Negate(const Token& sign, ExprPtr expr) {
  const bool negate = sign.binary_op == BinaryOp::kSub;
  if (expr->kind == ExprKind::kNumber) {
    auto& number = static_cast<NumberLiteral&>(*expr);
    if (negate) number.value = -number.value;
    if (OutOfRange(number.value)) {
      Note(sign.range(), "duration out of range");
      number.value = 0;
    }
    number.range.start = sign.position;
    return expr;
  }
  if (!negate) return expr;
  auto unary = std::make_unique<DurationExpr>();
  unary->op = DurationExpr::Op::kSub;
  unary->range = {sign.position, expr->range.end};
  if (!Deepen(unary.get(), expr.get())) return nullptr;
  unary->rhs = std::move(expr);
  return unary;
}

ExprPtr Parser::DurationBinary(int min_precedence) {
  ExprPtr lhs;
  if (IsSign()) {
    const Token sign = token_;
    Advance();
    lhs = DurationUnary(sign, /*offset=*/false);
  } else {
    lhs = DurationPrimary();
  }
  DurationExpr::Op op{};
  int precedence = 0;
  while (lhs != nullptr && ToDurationOp(token_, &op, &precedence) && precedence >= min_precedence) {
    const PositionRange place = token_.range();
    Advance();
    auto binary = std::make_unique<DurationExpr>();
    binary->op = op;
    binary->rhs = DurationBinary(precedence == kPow ? precedence : precedence + 1);
    if (binary->rhs == nullptr) return nullptr;
    RequireDurationExpressions(*lhs);
    if (op == DurationExpr::Op::kDiv && IsZero(*binary->rhs)) Note(place, "division by zero");
    if (op == DurationExpr::Op::kMod && IsZero(*binary->rhs)) Note(place, "modulo by zero");
    binary->lhs = std::move(lhs);
    binary->range = {binary->lhs->range.start, binary->rhs->range.end};
    if (!Deepen(binary.get(), binary->lhs.get()) || !Deepen(binary.get(), binary->rhs.get()))
      return nullptr;
    lhs = std::move(binary);
  }
  return lhs;
}

ExprPtr Parser::DurationPrimary() {
  if (Is(TokenKind::kNumber) || Is(TokenKind::kDuration)) return CheckedDurationLiteral(Number());
  if (Is(TokenKind::kKeyword) && token_.keyword >= Keyword::kStep) return DurationKeyword();
  if (!Is(TokenKind::kLeftParen)) return Unexpected();
  const int start = token_.position;
  if (++nesting_ > kMaxNesting) {
    Note(token_.range(), fmt::format("the expression nests deeper than {} levels", kMaxNesting));
    return nullptr;
  }
  Advance();
  ExprPtr inner = DurationBinary(0);
  --nesting_;
  if (inner == nullptr) return nullptr;
  if (!Is(TokenKind::kRightParen)) return Unexpected();
  const int end = token_.range().end;
  Advance();
  RequireDurationExpressions(*inner);
  return WrapDuration(std::move(inner), {start, end});
}

ExprPtr Parser::WrapDuration(ExprPtr expr, PositionRange range) {
  if (expr->kind == ExprKind::kDuration) {
    static_cast<DurationExpr&>(*expr).in_parens = true;
    return expr;
  }
  // A literal can't say that it stood in parentheses, so it becomes the operand of a plus.
  auto wrapped = std::make_unique<DurationExpr>();
  wrapped->op = DurationExpr::Op::kAdd;
  wrapped->in_parens = true;
  wrapped->range = range;
  wrapped->depth = expr->depth + 1;
  wrapped->rhs = std::move(expr);
  return wrapped;
}

ExprPtr Parser::DurationKeyword() {
  const Token name = token_;
  Advance();
  if (!Expect(TokenKind::kLeftParen)) return nullptr;
  auto call = std::make_unique<DurationExpr>();
  if (name.keyword == Keyword::kMinOf || name.keyword == Keyword::kMaxOf) {
    call->op =
        name.keyword == Keyword::kMinOf ? DurationExpr::Op::kMinOf : DurationExpr::Op::kMaxOf;
    if (++nesting_ > kMaxNesting) return Unexpected();
    call->lhs = DurationBinary(0);
    if (call->lhs == nullptr || !Expect(TokenKind::kComma)) return nullptr;
    call->rhs = DurationBinary(0);
    --nesting_;
    if (call->rhs == nullptr) return nullptr;
    call->depth = std::max(call->lhs->depth, call->rhs->depth) + 1;
  } else {
    call->op = name.keyword == Keyword::kStep ? DurationExpr::Op::kStep : DurationExpr::Op::kRange;
  }
  if (!Is(TokenKind::kRightParen)) return Unexpected();
  call->range = {name.position, token_.range().end};
  Advance();
  RequireDurationExpressions(*call);
  return call;
}

}  // namespace aevum::promql
