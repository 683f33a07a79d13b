#include "slow_evaluator.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "chunk/chunk.h"
#include "promql/function_table.h"
#include "slow_parts.h"

namespace aevum::promql::differential {
namespace {

constexpr std::int64_t kLookbackMs = 300'000;
constexpr std::int64_t kDefaultSubqueryStepMs = 60'000;

Status EqualLabels() {
  return MakeError(StatusCode::kFailedPrecondition,
                   "vector cannot contain metrics with the same labelset");
}

}  // namespace

Matrix Constant(const Steps& steps, const std::function<double(std::size_t)>& value) {
  Series series;
  for (std::size_t k = 0; k < steps.count; ++k) series.values.emplace_back(value(k));
  return {series};
}

StatusOr<Matrix> Merged(const Matrix& matrix) {
  Matrix merged;
  for (const Series& series : matrix) {
    const auto it = std::find_if(merged.begin(), merged.end(),
                                 [&](const Series& s) { return s.labels == series.labels; });
    if (it == merged.end()) {
      merged.push_back(series);
      continue;
    }
    for (std::size_t k = 0; k < series.values.size(); ++k) {
      if (!series.values[k]) continue;
      if (it->values[k]) return EqualLabels();
      it->values[k] = series.values[k];
    }
  }
  return merged;
}

namespace {

bool AnyLabelsTwice(const Matrix& matrix) {
  std::map<model::Labels, int> seen;
  for (const Series& series : matrix)
    if (++seen[series.labels] > 1) return true;
  return false;
}

bool HasValue(const Series& series) {
  return std::any_of(series.values.begin(), series.values.end(),
                     [](const auto& value) { return value.has_value(); });
}

}  // namespace

// ---- queries ----

StatusOr<Answer> SlowEvaluator::Instant(const Expr& expr, TimestampMs time) {
  query_start_ = query_end_ = time;
  query_step_seconds_ = 0;
  const Steps steps{.start = time, .step = 1, .count = 1};
  Answer answer{.type = TypeOf(expr)};
  if (answer.type == ValueType::kString) {
    answer.text = As<StringLiteral>(WithoutParens(expr)).value;
    return answer;
  }
  if (answer.type != ValueType::kMatrix) {
    ASSIGN_OR_RETURN(answer.series, Evaluate(expr, steps));
    return answer;
  }
  ASSIGN_OR_RETURN(Windows windows, WindowsOf(WithoutParens(expr), steps));
  const TimestampMs end = Looked(*windows.time, time);
  for (StoredSeries& series : windows.series) {
    std::erase_if(series.points, [&](const Point& point) {
      return point.time <= end - windows.range_ms || point.time > end;
    });
    if (!series.points.empty()) answer.ranges.push_back(std::move(series));
  }
  std::sort(answer.ranges.begin(), answer.ranges.end(),
            [](const StoredSeries& a, const StoredSeries& b) { return a.labels < b.labels; });
  return answer;
}

StatusOr<Answer> SlowEvaluator::Range(const Expr& expr, TimestampMs start, TimestampMs end,
                                      std::int64_t step) {
  query_start_ = start;
  query_end_ = end;
  query_step_seconds_ = start == end ? 0 : Seconds(step);
  const Steps steps{
      .start = start, .step = step, .count = static_cast<std::size_t>((end - start) / step + 1)};
  Answer answer{.type = ValueType::kMatrix};
  ASSIGN_OR_RETURN(answer.series, Evaluate(expr, steps));
  return answer;
}

// ---- nodes ----

namespace {

bool HasAt(const TimeModifiers& time) { return time.at || time.at_edge != AtEdge::kNone; }

bool IsFixed(const Expr& expr);

bool IsFixedCall(const Call& call) {
  const std::string_view name = call.function->name;
  if (name == "timestamp" && WithoutParens(*call.args[0]).kind != ExprKind::kVectorSelector)
    return false;
  // The step itself goes into their results.
  for (const std::string_view one :
       {"time", "predict_linear", "minute", "hour", "day_of_week", "day_of_month", "day_of_year",
        "days_in_month", "month", "year"})
    if (name == one) return false;
  return std::all_of(call.args.begin(), call.args.end(),
                     [](const ExprPtr& arg) { return IsFixed(*arg); });
}

// Whether an expression gives the same at all steps since its selectors say so by @.
bool IsFixed(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumber:
    case ExprKind::kString:
      return true;
    case ExprKind::kVectorSelector:
      return HasAt(As<VectorSelector>(expr).time);
    case ExprKind::kMatrixSelector:
      return HasAt(As<MatrixSelector>(expr).selector->time);
    case ExprKind::kSubquery:
      return HasAt(As<SubqueryExpr>(expr).time);
    case ExprKind::kParen:
      return IsFixed(*As<ParenExpr>(expr).expr);
    case ExprKind::kUnary:
      return IsFixed(*As<UnaryExpr>(expr).expr);
    case ExprKind::kBinary:
      return IsFixed(*As<BinaryExpr>(expr).lhs) && IsFixed(*As<BinaryExpr>(expr).rhs);
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      return IsFixed(*aggregate.expr) && (!aggregate.param || IsFixed(*aggregate.param));
    }
    case ExprKind::kCall:
      return IsFixedCall(As<Call>(expr));
    default:
      return false;
  }
}

}  // namespace

StatusOr<Matrix> SlowEvaluator::Evaluate(const Expr& expr, const Steps& steps) {
  if (steps.count == 1 || !IsFixed(expr)) return EvaluateAtAll(expr, steps);
  // As the reference does it: once, which only the order of series can tell.
  ASSIGN_OR_RETURN(Matrix matrix, EvaluateAtAll(expr, {.start = steps.start, .count = 1}));
  for (Series& series : matrix) series.values.resize(steps.count, series.values[0]);
  return matrix;
}

StatusOr<Matrix> SlowEvaluator::EvaluateAtAll(const Expr& expr, const Steps& steps) {
  switch (expr.kind) {
    case ExprKind::kNumber:
      return Constant(steps, [&](std::size_t) { return As<NumberLiteral>(expr).value; });
    case ExprKind::kParen:
      return Evaluate(*As<ParenExpr>(expr).expr, steps);
    case ExprKind::kVectorSelector:
      return Select(As<VectorSelector>(expr), steps, false);
    case ExprKind::kUnary:
      return EvaluateUnary(As<UnaryExpr>(expr), steps);
    case ExprKind::kBinary:
      return EvaluateBinary(As<BinaryExpr>(expr), steps);
    case ExprKind::kAggregate:
      return EvaluateAggregate(As<AggregateExpr>(expr), steps);
    case ExprKind::kCall:
      return EvaluateCall(As<Call>(expr), steps);
    default:
      return Unimplemented("not an expression that has a value at a step");
  }
}

StatusOr<std::vector<double>> SlowEvaluator::Scalar(const Expr& expr, const Steps& steps) {
  ASSIGN_OR_RETURN(const Matrix matrix, Evaluate(expr, steps));
  std::vector<double> values;
  for (const auto& value : matrix.at(0).values) values.push_back(*value);
  return values;
}

StatusOr<Matrix> SlowEvaluator::OfSteps(const Steps& steps, const std::vector<Matrix>& args,
                                        const StepFunction& function) const {
  Matrix result;
  std::vector<std::size_t> ranks;
  std::map<model::Labels, std::size_t> index;
  for (std::size_t k = 0; k < steps.count; ++k) {
    std::vector<Vector> vectors;
    for (const Matrix& matrix : args) {
      Vector& vector = vectors.emplace_back();
      for (std::size_t i = 0; i < matrix.size(); ++i)
        if (matrix[i].values[k]) vector.push_back({matrix[i].labels, *matrix[i].values[k], i});
    }
    ASSIGN_OR_RETURN(const Vector samples, function(vectors, k));
    for (const Sample& sample : samples) {
      const auto [it, is_new] = index.emplace(sample.labels, result.size());
      if (is_new) {
        result.push_back({sample.labels, std::vector<std::optional<double>>(steps.count)});
        ranks.push_back(sample.rank);
      }
      std::optional<double>& value = result[it->second].values[k];
      if (value) return EqualLabels();
      value = sample.value;
      ranks[it->second] = std::min(ranks[it->second], sample.rank);
    }
  }
  if (steps.count == 1) return result;  // in the order that the function gave
  std::vector<std::size_t> order(result.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ranks[a] < ranks[b]; });
  Matrix sorted;
  for (const std::size_t i : order) sorted.push_back(std::move(result[i]));
  return sorted;
}

StatusOr<Matrix> SlowEvaluator::EvaluateUnary(const UnaryExpr& expr, const Steps& steps) {
  ASSIGN_OR_RETURN(Matrix matrix, Evaluate(*expr.expr, steps));
  if (!expr.negate) return matrix;
  for (Series& series : matrix) {
    series.labels = WithoutName(series.labels);
    for (auto& value : series.values)
      if (value) value = -*value;
  }
  return Merged(matrix);
}

StatusOr<Matrix> SlowEvaluator::EvaluateBinary(const BinaryExpr& expr, const Steps& steps) {
  const bool left_vector = TypeOf(*expr.lhs) == ValueType::kVector;
  const bool right_vector = TypeOf(*expr.rhs) == ValueType::kVector;
  ASSIGN_OR_RETURN(const Matrix left, Evaluate(*expr.lhs, steps));
  ASSIGN_OR_RETURN(const Matrix right, Evaluate(*expr.rhs, steps));
  if (left_vector && right_vector) {
    return OfSteps(steps, {left, right}, [&](const std::vector<Vector>& args, std::size_t) {
      return OperateOnVectors(expr, args[0], args[1], left.size(), right.size());
    });
  }
  if (!left_vector && !right_vector) {
    return Constant(steps, [&](std::size_t k) {
      return OperateOnNumbers(expr.op, *left[0].values[k], *right[0].values[k]);
    });
  }
  const Matrix& vectors = left_vector ? left : right;
  const Series& scalar = left_vector ? right[0] : left[0];
  return OfSteps(steps, {vectors}, [&](const std::vector<Vector>& args, std::size_t k) {
    Vector result;
    for (Sample sample : args[0]) {
      const double a = left_vector ? sample.value : *scalar.values[k];
      const double b = left_vector ? *scalar.values[k] : sample.value;
      const double value = OperateOnNumbers(expr.op, a, b);
      const bool filters = IsComparison(expr.op) && !expr.return_bool;
      if (filters && value == 0) continue;
      if (!filters) sample.value = value;
      if (DropsName(expr)) sample.labels = WithoutName(sample.labels);
      result.push_back(sample);
    }
    return result;
  });
}

StatusOr<Matrix> SlowEvaluator::EvaluateAggregate(const AggregateExpr& expr, const Steps& steps) {
  std::vector<double> parameters(steps.count);
  if (expr.op == AggregateOp::kCountValues) {
    if (As<StringLiteral>(WithoutParens(*expr.param)).value.empty())
      return MakeError(StatusCode::kFailedPrecondition, "invalid label name");
  } else if (expr.param != nullptr) {
    ASSIGN_OR_RETURN(parameters, Scalar(*expr.param, steps));
  }
  ASSIGN_OR_RETURN(const Matrix input, Evaluate(*expr.expr, steps));
  const auto all = [&](auto predicate) {
    return std::all_of(parameters.begin(), parameters.end(), predicate);
  };
  const auto is_number = [](double p) { return !std::isnan(p); };
  if (expr.op == AggregateOp::kLimitRatio) {
    if (all([](double p) { return p == 0; })) return Matrix();
    if (!all(is_number)) return MakeError(StatusCode::kFailedPrecondition, "ratio is NaN");
  } else if (expr.op == AggregateOp::kTopk || expr.op == AggregateOp::kBottomk ||
             expr.op == AggregateOp::kLimitk) {
    if (all([](double p) { return p < 1; })) return Matrix();
    constexpr double kEnd = 9223372036854775808.0;
    if (!all([](double p) { return p > -kEnd && p < kEnd; }))
      return MakeError(StatusCode::kFailedPrecondition, "parameter is NaN or too large");
  }
  return OfSteps(steps, {input}, [&](const std::vector<Vector>& args, std::size_t k) {
    return Aggregate(expr, args[0], {.parameter = parameters[k], .k = k, .steps = steps.count});
  });
}

// ---- selectors and windows ----

TimestampMs SlowEvaluator::Looked(const TimeModifiers& modifiers, TimestampMs time) const {
  if (modifiers.at) time = *modifiers.at;
  if (modifiers.at_edge == AtEdge::kStart) time = query_start_;
  if (modifiers.at_edge == AtEdge::kEnd) time = query_end_;
  return time - modifiers.offset_ms;
}

StatusOr<Matrix> SlowEvaluator::Select(const VectorSelector& selector, const Steps& steps,
                                       bool times) const {
  Matrix matrix;
  for (const StoredSeries& stored : data_) {
    if (!model::MatchesAll(selector.matchers, stored.labels)) continue;
    Series series{stored.labels, std::vector<std::optional<double>>(steps.count)};
    for (std::size_t k = 0; k < steps.count; ++k) {
      const TimestampMs at = Looked(selector.time, steps.At(k));
      const Point* last = nullptr;
      for (const Point& point : stored.points)
        if (point.time <= at) last = &point;
      if (last == nullptr || last->time <= at - kLookbackMs || chunk::IsStale(last->value))
        continue;
      series.values[k] = times ? InSeconds(last->time) : last->value;
    }
    if (HasValue(series)) matrix.push_back(std::move(series));
  }
  return matrix;
}

StatusOr<SlowEvaluator::Windows> SlowEvaluator::WindowsOf(const Expr& range, const Steps& steps) {
  Windows windows;
  if (range.kind == ExprKind::kMatrixSelector) {
    const auto& matrix = As<MatrixSelector>(range);
    windows.range_ms = matrix.range_ms;
    windows.time = &matrix.selector->time;
    for (StoredSeries series : data_) {
      if (!model::MatchesAll(matrix.selector->matchers, series.labels)) continue;
      std::erase_if(series.points, [](const Point& point) { return chunk::IsStale(point.value); });
      windows.series.push_back(std::move(series));
    }
    return windows;
  }
  const auto& subquery = As<SubqueryExpr>(range);
  windows.range_ms = subquery.range_ms;
  windows.time = &subquery.time;
  const TimestampMs before = Looked(subquery.time, steps.start) - subquery.range_ms;
  const TimestampMs last = Looked(subquery.time, steps.last());
  Steps inner{.step = subquery.step_ms == 0 ? kDefaultSubqueryStepMs : subquery.step_ms};
  // The multiples of the step in (before, last].
  inner.start = before / inner.step * inner.step;
  while (inner.start <= before) inner.start += inner.step;
  while (inner.At(inner.count) <= last) ++inner.count;
  if (inner.count == 0) return windows;
  ASSIGN_OR_RETURN(const Matrix matrix, Evaluate(*subquery.expr, inner));
  for (const Series& series : matrix) {
    StoredSeries& stored = windows.series.emplace_back();
    stored.labels = series.labels;
    for (std::size_t k = 0; k < inner.count; ++k)
      if (series.values[k]) stored.points.push_back({inner.At(k), *series.values[k]});
  }
  return windows;
}

StatusOr<Matrix> SlowEvaluator::EvaluateWindows(const Call& call, const Steps& steps) {
  const std::string_view name = call.function->name;
  const WindowFunction function = FindWindowFunction(name);
  std::vector<std::vector<double>> parameters;
  const Expr* range = nullptr;
  for (const ExprPtr& arg : call.args) {
    if (TypeOf(*arg) == ValueType::kMatrix) {
      range = &WithoutParens(*arg);
      continue;
    }
    ASSIGN_OR_RETURN(parameters.emplace_back(), Scalar(*arg, steps));
  }
  ASSIGN_OR_RETURN(const Windows windows, WindowsOf(*range, steps));
  Matrix matrix;
  for (const StoredSeries& stored : windows.series) {
    const bool keeps_name = name == "last_over_time" || name == "first_over_time";
    Series series{keeps_name ? stored.labels : WithoutName(stored.labels), {}};
    for (std::size_t k = 0; k < steps.count; ++k) {
      Window window{.step = steps.At(k)};
      window.end = Looked(*windows.time, window.step);
      window.start = window.end - windows.range_ms;
      for (const Point& point : stored.points)
        if (point.time > window.start && point.time <= window.end) window.points.push_back(point);
      for (const auto& parameter : parameters) window.parameters.push_back(parameter[k]);
      series.values.emplace_back();
      if (window.points.empty()) continue;
      ASSIGN_OR_RETURN(series.values.back(), function(window));
    }
    if (HasValue(series)) matrix.push_back(std::move(series));
  }
  if (name == "absent_over_time") {
    return OfSteps(steps, {matrix}, [&](const std::vector<Vector>& args, std::size_t) {
      return args[0].empty() ? Vector{{AbsentLabels(*range), 1, 0}} : Vector();
    });
  }
  // Also where their values are at different steps.
  if (AnyLabelsTwice(matrix)) return EqualLabels();
  return matrix;
}

}  // namespace aevum::promql::differential
