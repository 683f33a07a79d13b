#include "promql/engine/durations.h"

#include <chrono>
#include <cmath>
#include <memory>
#include <string_view>

#include "base/duration.h"
#include "model/elementary_functions.h"

namespace aevum::promql {
namespace {

// 2^63 nanoseconds.
constexpr double kMaxSeconds = 9223372036.854775807;

Status Fail(const Expr& expr, std::string_view what) {
  return MakeError(StatusCode::kFailedPrecondition,
                   fmt::format("{}:{}: {}", expr.range.start, expr.range.end, what));
}

class Resolver {
 public:
  Resolver(std::int64_t step_ms, std::int64_t range_ms)
      : step_seconds_(GoSeconds(std::chrono::milliseconds(step_ms))),
        range_seconds_(GoSeconds(std::chrono::milliseconds(range_ms))) {}

  Status Resolve(Expr* expr) {
    if (expr == nullptr) return OkStatus();
    switch (expr->kind) {
      case ExprKind::kVectorSelector:
        return ResolveTime(&To<VectorSelector>(expr).time);
      case ExprKind::kMatrixSelector: {
        auto& matrix = To<MatrixSelector>(expr);
        RETURN_IF_ERROR(Set(&matrix.range_expr, false, &matrix.range_ms));
        return Resolve(matrix.selector.get());
      }
      case ExprKind::kSubquery: {
        auto& subquery = To<SubqueryExpr>(expr);
        RETURN_IF_ERROR(ResolveTime(&subquery.time));
        RETURN_IF_ERROR(Set(&subquery.step_expr, false, &subquery.step_ms));
        RETURN_IF_ERROR(Set(&subquery.range_expr, false, &subquery.range_ms));
        return Resolve(subquery.expr.get());
      }
      case ExprKind::kCall:
        for (const ExprPtr& arg : To<Call>(expr).args) RETURN_IF_ERROR(Resolve(arg.get()));
        return OkStatus();
      case ExprKind::kAggregate:
        RETURN_IF_ERROR(Resolve(To<AggregateExpr>(expr).param.get()));
        return Resolve(To<AggregateExpr>(expr).expr.get());
      case ExprKind::kBinary:
        RETURN_IF_ERROR(Resolve(To<BinaryExpr>(expr).lhs.get()));
        return Resolve(To<BinaryExpr>(expr).rhs.get());
      case ExprKind::kUnary:
        return Resolve(To<UnaryExpr>(expr).expr.get());
      case ExprKind::kParen:
        return Resolve(To<ParenExpr>(expr).expr.get());
      default:
        return OkStatus();
    }
  }

 private:
  template <typename T>
  static T& To(Expr* expr) {
    return static_cast<T&>(*expr);
  }

  Status ResolveTime(TimeModifiers* time) {
    return Set(&time->offset_expr, true, &time->offset_ms);
  }

  Status Set(std::unique_ptr<DurationExpr>* expr, bool may_be_negative,
             std::int64_t* milliseconds) {
    if (*expr == nullptr) return OkStatus();
    ASSIGN_OR_RETURN(const double seconds, Seconds(**expr));
    if (!std::isfinite(seconds)) return Fail(**expr, "duration is NaN or infinite");
    if (seconds <= 0 && !may_be_negative) return Fail(**expr, "duration must be greater than 0");
    if (std::abs(seconds) > kMaxSeconds) return Fail(**expr, "duration is out of range");
    *milliseconds = static_cast<std::int64_t>(seconds * 1000);
    expr->reset();
    return OkStatus();
  }

  // The parser bounds the depth.
  StatusOr<double> Seconds(const Expr& expr) const {
    if (expr.kind == ExprKind::kNumber) return As<NumberLiteral>(expr).value;
    const auto& duration = As<DurationExpr>(expr);
    double lhs = 0;
    double rhs = 0;
    if (duration.lhs) {
      ASSIGN_OR_RETURN(lhs, Seconds(*duration.lhs));
    }
    if (duration.rhs) {
      ASSIGN_OR_RETURN(rhs, Seconds(*duration.rhs));
    }
    switch (duration.op) {
      case DurationExpr::Op::kStep:
        return step_seconds_;
      case DurationExpr::Op::kRange:
        return range_seconds_;
      case DurationExpr::Op::kMinOf:
        return std::isnan(lhs) || lhs < rhs ? lhs : rhs;
      case DurationExpr::Op::kMaxOf:
        return std::isnan(lhs) || lhs > rhs ? lhs : rhs;
      case DurationExpr::Op::kAdd:
        return lhs + rhs;
      case DurationExpr::Op::kSub:
        return lhs - rhs;
      case DurationExpr::Op::kMul:
        return lhs * rhs;
      case DurationExpr::Op::kDiv:
        if (rhs == 0) return Fail(expr, "division by zero");
        return lhs / rhs;
      case DurationExpr::Op::kMod:
        if (rhs == 0) return Fail(expr, "modulo by zero");
        return std::fmod(lhs, rhs);
      case DurationExpr::Op::kPow:
        return model::Pow(lhs, rhs);
    }
    return Internal("not a duration");
  }

  const double step_seconds_;
  const double range_seconds_;
};

}  // namespace

Status ResolveDurations(std::int64_t step_ms, std::int64_t range_ms, Expr* expr) {
  return Resolver(step_ms, range_ms).Resolve(expr);
}

}  // namespace aevum::promql
