// A slow, obvious evaluator of PromQL, which the engine is compared with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "promql/ast.h"
#include "samples.h"

namespace aevum::promql::differential {

// What a query answers.
struct Answer {
  ValueType type = ValueType::kNone;
  Matrix series;  // of vectors: one value a step; a scalar is a series without labels
  // Of an instant query for a range vector.
  std::vector<StoredSeries> ranges;
  std::string text;  // of a string
};

// Goes from the leaves of the tree to its root. Each node has a value at all steps; where it is a
// function of vectors it is applied at one step after the other, to plain vectors of labels and
// values. Knows no native histograms, anchored or smoothed selectors, info() or start timestamps:
// Unimplemented. All other errors are FailedPrecondition.
//
// Borrows the data. Thread-compatible.
class SlowEvaluator {
 public:
  explicit SlowEvaluator(const Data& data) : data_(data) {}

  // `expr` as the parser gives it, without arithmetic over durations.
  StatusOr<Answer> Instant(const Expr& expr, TimestampMs time);
  StatusOr<Answer> Range(const Expr& expr, TimestampMs start, TimestampMs end, std::int64_t step);

 private:
  // One step of a function of vectors: the values of its arguments at step k.
  using StepFunction =
      std::function<StatusOr<Vector>(const std::vector<Vector>& args, std::size_t k)>;

  StatusOr<Matrix> Evaluate(const Expr& expr, const Steps& steps);
  StatusOr<Matrix> EvaluateAtAll(const Expr& expr, const Steps& steps);
  StatusOr<Matrix> EvaluateCall(const Call& call, const Steps& steps);
  StatusOr<Matrix> EvaluateAggregate(const AggregateExpr& expr, const Steps& steps);
  StatusOr<Matrix> EvaluateBinary(const BinaryExpr& expr, const Steps& steps);
  StatusOr<Matrix> EvaluateUnary(const UnaryExpr& expr, const Steps& steps);
  StatusOr<Matrix> Select(const VectorSelector& selector, const Steps& steps, bool times) const;
  StatusOr<Matrix> EvaluateWindows(const Call& call, const Steps& steps);
  StatusOr<Matrix> EvaluateScalarCall(const Call& call, const Steps& steps);
  StatusOr<Matrix> Timestamps(const Call& call, const Steps& steps);
  StatusOr<Matrix> Quantiles(const Call& call, const Steps& steps);

  // The values of a scalar at all steps.
  StatusOr<std::vector<double>> Scalar(const Expr& expr, const Steps& steps);

  // Series whose windows a range vector consists of, and how long the windows are.
  struct Windows {
    std::vector<StoredSeries> series;
    std::int64_t range_ms = 0;
    TimeModifiers const* time = nullptr;
  };
  StatusOr<Windows> WindowsOf(const Expr& range, const Steps& steps);
  // The time that a selector looks at when the query is at `time`.
  TimestampMs Looked(const TimeModifiers& modifiers, TimestampMs time) const;

  StatusOr<Matrix> OfSteps(const Steps& steps, const std::vector<Matrix>& args,
                           const StepFunction& function) const;

  const Data& data_;
  TimestampMs query_start_ = 0;
  TimestampMs query_end_ = 0;
  double query_step_seconds_ = 0;
};

}  // namespace aevum::promql::differential
