#include "promql/engine/histogram_operators.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/core.h>

#include "model/histogram_arithmetic.h"
#include "model/histogram_trim.h"
#include "promql/engine/histogram_notes.h"

namespace aevum::promql {
namespace {

using model::FloatHistogram;
using Kind = OperationNote::Kind;

OperationResult Incompatible(BinaryOp op, const Operand& a, const Operand& b) {
  const auto type = [](const Operand& operand) {
    return operand.histogram == nullptr ? "float" : "histogram";
  };
  return {.defined = false,
          .note = {Kind::kInfo,
                   fmt::format("incompatible sample types encountered for binary operator \"{}\": "
                               "{} {} {}",
                               OperatorText(op), type(a), OperatorText(op), type(b))}};
}

OperationResult Of(FloatHistogram histogram) {
  model::Compact(&histogram);
  return {.value = {.histogram = std::make_shared<FloatHistogram>(std::move(histogram))}};
}

OperationResult AddOrSubtract(BinaryOp op, const FloatHistogram& a, const FloatHistogram& b) {
  FloatHistogram result = a;
  const bool add = op == BinaryOp::kAdd;
  const model::CombineOutcome outcome = add ? model::Add(&result, b) : model::Subtract(&result, b);
  const std::string_view what = add ? kForAddition : kForSubtraction;
  if (!outcome.compatible) {
    return {.defined = false,
            .note = {Kind::kWarning,
                     fmt::format("incompatible bucket layout encountered for binary operator {}",
                                 OperatorText(op))}};
  }
  if (outcome.reset_collision) {
    return {.defined = false,
            .note = {Kind::kWarning,
                     fmt::format("conflicting counter resets during histogram {}", what)}};
  }
  if (!add) result.reset_hint = model::ResetHint::kGauge;
  OperationResult sum = Of(std::move(result));
  if (outcome.bounds_reconciled) {
    sum.note = {Kind::kInfo,
                fmt::format("mismatched custom buckets were reconciled during {}", what)};
  }
  return sum;
}

OperationResult WithNumber(BinaryOp op, const Operand& a, const Operand& b) {
  FloatHistogram result = *a.histogram;
  switch (op) {
    case BinaryOp::kMul:
      model::Multiply(&result, b.number);
      return Of(std::move(result));
    case BinaryOp::kDiv:
      model::Divide(&result, b.number);
      return Of(std::move(result));
    case BinaryOp::kTrimUpper:
    case BinaryOp::kTrimLower:
      model::TrimBuckets(&result, b.number,
                         op == BinaryOp::kTrimUpper ? model::Trim::kAbove : model::Trim::kBelow);
      return {.value = {.histogram = std::make_shared<FloatHistogram>(std::move(result))}};
    default:
      return Incompatible(op, a, b);
  }
}

OperationResult OfHistograms(BinaryOp op, const Operand& a, const Operand& b) {
  switch (op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
      return AddOrSubtract(op, *a.histogram, *b.histogram);
    case BinaryOp::kEqual:
    case BinaryOp::kNotEqual:
      return {.holds = model::Identical(*a.histogram, *b.histogram) == (op == BinaryOp::kEqual),
              .value = a};
    default:
      return Incompatible(op, a, b);
  }
}

}  // namespace

void OperationNote::Tell(Annotations& annotations, const Expr& where) const {
  if (kind == Kind::kInfo) annotations.AddInfo(text, where);
  if (kind == Kind::kWarning) annotations.AddWarning(text, where);
}

OperationResult Operate(BinaryOp op, const Operand& a, const Operand& b) {
  if (a.histogram != nullptr && b.histogram != nullptr) return OfHistograms(op, a, b);
  if (a.histogram != nullptr) return WithNumber(op, a, b);
  if (b.histogram != nullptr) {
    if (op != BinaryOp::kMul) return Incompatible(op, a, b);
    return WithNumber(op, b, a);
  }
  if (IsTrim(op)) return Incompatible(op, a, b);
  const double value = Apply(op, a.number, b.number);
  if (!IsComparison(op)) return {.value = {value, nullptr}};
  return {.holds = value != 0, .value = a};
}

HistogramRowFunction HistogramScalarOperand(const BinaryExpr& expr, std::vector<double> scalar,
                                            bool scalar_first, Annotations& annotations) {
  return [&expr, &annotations, scalar = std::move(scalar), scalar_first](
             RowBatch* rows, std::size_t row) -> Status {
    for (std::size_t k = 0; k < rows->steps(); ++k) {
      const HistogramPtr histogram = rows->histograms(row)[k];
      if (histogram == nullptr) continue;
      rows->RemoveHistogram(row, k);
      const Operand vector{.histogram = histogram};
      const Operand number{.number = scalar[k], .histogram = nullptr};
      OperationResult result =
          scalar_first ? Operate(expr.op, number, vector) : Operate(expr.op, vector, number);
      result.note.Tell(annotations, expr);
      if (!result.defined) continue;
      RETURN_IF_ERROR(
          rows->SetHistogram(row, k, std::move(result.value.histogram), "binary operator"));
    }
    return OkStatus();
  };
}

Status NegateHistograms(RowBatch* rows, std::size_t row) {
  for (std::size_t k = 0; k < rows->steps(); ++k) {
    const HistogramPtr histogram = rows->histograms(row)[k];
    if (histogram == nullptr) continue;
    FloatHistogram negative = *histogram;
    model::Multiply(&negative, -1);
    RETURN_IF_ERROR(rows->SetHistogram(
        row, k, std::make_shared<FloatHistogram>(std::move(negative)), "unary operator"));
  }
  return OkStatus();
}

}  // namespace aevum::promql
