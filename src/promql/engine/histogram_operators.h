// Binary operators with native histograms on a side or both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "promql/ast.h"
#include "promql/engine/elementwise.h"
#include "promql/engine/evaluation.h"

namespace aevum::promql {

// </ and >/.
inline bool IsTrim(BinaryOp op) { return op == BinaryOp::kTrimUpper || op == BinaryOp::kTrimLower; }

// Whether the result is still of the metric: trimmed, or kept by a comparison.
inline bool KeepsName(const BinaryExpr& expr) {
  return (IsComparison(expr.op) && !expr.return_bool) || IsTrim(expr.op);
}

// An operand: a histogram, or a number when that is null.
struct Operand {
  double number = 0;
  HistogramPtr histogram;
};

// What to tell about an operation.
struct OperationNote {
  enum class Kind : std::uint8_t { kNone, kInfo, kWarning };
  Kind kind = Kind::kNone;
  std::string text;
  void Tell(Annotations& annotations, const Expr& where) const;
};

struct OperationResult {
  // False: the operation gives nothing for this pair, the note says why.
  bool defined = true;
  // Of a comparison: whether it holds. The value is that of the left side.
  bool holds = true;
  Operand value;
  OperationNote note;
};

// `a op b` for all operators but those of sets.
OperationResult Operate(BinaryOp op, const Operand& a, const Operand& b);

// vector op scalar for the histograms of a row, or scalar op vector when `scalar_first`.
HistogramRowFunction HistogramScalarOperand(const BinaryExpr& expr, std::vector<double> scalar,
                                            bool scalar_first, Annotations& annotations);

// -vector for the histograms of a row.
Status NegateHistograms(RowBatch* rows, std::size_t row);

}  // namespace aevum::promql
