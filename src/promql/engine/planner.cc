#include "promql/engine/planner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include "base/duration.h"
#include "model/quote.h"
#include "promql/engine/aggregation.h"
#include "promql/engine/calls.h"
#include "promql/engine/distribute.h"
#include "promql/engine/elementwise.h"
#include "promql/engine/histogram_operators.h"
#include "promql/engine/limit_ratio.h"
#include "promql/engine/plan.h"
#include "promql/engine/remote_rows.h"
#include "promql/engine/selector.h"
#include "promql/engine/shared_rows.h"
#include "promql/engine/smoothed_selector.h"
#include "promql/engine/step_counts.h"
#include "promql/engine/subquery.h"
#include "promql/engine/vector_matching.h"
#include "promql/function_table.h"
#include "promql/functions/label_functions.h"
#include "promql/functions/row_functions.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The name that an equality matcher fixes, or "".
std::string FixedName(const model::Matchers& matchers) {
  for (const model::Matcher& matcher : matchers) {
    if (matcher.name() == model::kMetricName && matcher.type() == model::MatchType::kEqual)
      return matcher.value();
  }
  return "";
}

bool IsQuantile(double rank) { return rank >= 0 && rank <= 1; }

std::string QuantileWarning(double rank) {
  return fmt::format("quantile value should be between 0 and 1, got {}", FormatShort(rank));
}

// Gives the rows of its source and counts them as what steps look at.
class CountingOperator final : public Operator {
 public:
  CountingOperator(StepCounts& counts, OperatorPtr source)
      : counts_(counts), source_(std::move(source)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    ASSIGN_OR_RETURN(const bool more, source_->Next(out));
    if (more) counts_.AddRows(*out);
    return more;
  }

 private:
  StepCounts& counts_;
  const OperatorPtr source_;
};

class AbsentOperator final : public Operator {
 public:
  // A dropped name only takes __type__ and __unit__ along, at the end of the query.
  AbsentOperator(QueryState& state, std::size_t steps, model::Labels labels, OperatorPtr source,
                 NameRule names)
      : state_(state),
        steps_(steps),
        labels_(std::move(labels)),
        source_(std::move(source)),
        names_(names) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (source_ == nullptr) {
      out->Reset(steps_, state_.context.budget());
      return false;
    }
    MemoryCharge charge(state_.context.budget());
    RETURN_IF_ERROR(charge.Add(static_cast<std::int64_t>(steps_), "absent"));
    std::vector<std::uint8_t> any(steps_);
    while (true) {
      ASSIGN_OR_RETURN(const bool more, source_->Next(out));
      if (!more) break;
      for (std::size_t i = 0; i < out->size(); ++i) {
        for (std::size_t k = 0; k < steps_; ++k)
          if (out->Holds(i, k)) any[k] = 1;
      }
    }
    source_.reset();
    out->Reset(steps_, state_.context.budget());
    RETURN_IF_ERROR(out->Add(labels_, "absent"));
    out->set_drops_name(0, names_ == NameRule::kDrop);
    for (std::size_t k = 0; k < steps_; ++k) {
      out->present(0)[k] = any[k] == 0 ? 1 : 0;
      out->values(0)[k] = any[k] == 0 ? 1 : 0;
    }
    if (!out->AnyPresent(0)) out->RemoveLast();
    return !out->empty();
  }

 private:
  QueryState& state_;
  const std::size_t steps_;
  const model::Labels labels_;
  OperatorPtr source_;
  const NameRule names_;
};

// Whether series with equal labels are put together whole, so that a number and a histogram may
// meet at a step.
bool MergesSeries(const Expr& expr) {
  if (expr.kind == ExprKind::kUnary) return As<UnaryExpr>(expr).negate;
  if (expr.kind != ExprKind::kCall) return false;
  const std::string_view name = As<promql::Call>(expr).function->name;
  return name == "label_replace" || name == "label_join";
}

// Numbers can't be trimmed.
RowFunction RefuseNumbers(const BinaryExpr& expr, Annotations& annotations) {
  return [&expr, &annotations](double* values, std::uint8_t* present, std::size_t steps) {
    for (std::size_t k = 0; k < steps; ++k) {
      if (present[k] != 0) Operate(expr.op, {}, {}).note.Tell(annotations, expr);
      present[k] = 0;
      values[k] = 0;
    }
  };
}

RowFunction Negate() {
  return [](double* values, std::uint8_t* /*present*/, std::size_t steps) {
    for (std::size_t k = 0; k < steps; ++k) values[k] = -values[k];
  };
}

}  // namespace

bool Planner::UniqueWithoutName(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
      return !FixedName(As<VectorSelector>(expr).matchers).empty();
    case ExprKind::kMatrixSelector:
      return UniqueWithoutName(*As<MatrixSelector>(expr).selector);
    case ExprKind::kParen:
      return UniqueWithoutName(*As<ParenExpr>(expr).expr);
    case ExprKind::kSubquery:
      return UniqueWithoutName(*As<SubqueryExpr>(expr).expr);
    case ExprKind::kUnary:
      return UniqueWithoutName(*As<UnaryExpr>(expr).expr);
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      if (HasParameter(aggregate.op) && aggregate.op != AggregateOp::kQuantile) return false;
      return !aggregate.without &&
             std::none_of(aggregate.grouping.begin(), aggregate.grouping.end(), GoesWithName);
    }
    case ExprKind::kCall: {
      // Functions that drop the name have put equal series together themselves.
      const std::string_view name = As<promql::Call>(expr).function->name;
      const auto function = FindRangeFunction(name);
      return (function.has_value() && !function->keeps_name) || FindXFunction(name);
    }
    default:
      return false;
  }
}

StatusOr<std::string> Planner::String(const Expr& expr) {
  const Expr& inner = WithoutParens(expr);
  if (inner.kind != ExprKind::kString) return Internal("not a string: {}", ToString(expr));
  return As<StringLiteral>(inner).value;
}

StatusOr<OperatorPtr> Planner::Vector(const Expr& expr, std::string_view around) {
  if (steps() > 1 && state_.notes.step_invariant.contains(&expr)) return EveryStep(expr, around);
  const bool merges = MergesSeries(expr);
  const bool around_takes = state_.takes_series;
  state_.takes_series = merges || (expr.kind == ExprKind::kParen && around_takes);
  StatusOr<OperatorPtr> rows = MeasuredVector(expr, around);
  state_.takes_series = around_takes;
  if (rows.ok() && merges && !around_takes) return MakeOneValueAStep(*std::move(rows));
  return rows;
}

StatusOr<OperatorPtr> Planner::MeasuredVector(const Expr& expr, std::string_view around) {
  if (state_.analysis == nullptr) return AnyVector(expr, around);
  ASSIGN_OR_RETURN(OperatorPtr rows, AnyVector(expr, around));
  return state_.analysis->Measure(expr, std::move(rows));
}

StepCounts* Planner::CountsOf(const Expr& expr) {
  return state_.analysis == nullptr ? state_.counts
                                    : state_.analysis->CountsOf(expr, state_.counts);
}

OperatorPtr Planner::Counted(const Expr& expr, OperatorPtr source) {
  StepCounts* const counts = CountsOf(expr);
  if (counts == nullptr) return source;
  return std::make_unique<CountingOperator>(*counts, std::move(source));
}

StatusOr<OperatorPtr> Planner::AnyVector(const Expr& expr, std::string_view around) {
  const RemotePart* part = state_.plan == nullptr ? nullptr : state_.plan->Find(expr);
  if (part != nullptr && CanAskLeaves(*part, grid_, state_)) return Remote(*part);
  switch (expr.kind) {
    case ExprKind::kVectorSelector: {
      const auto& selector = As<VectorSelector>(expr);
      const SelectTimes times = TimesOf(selector.time, grid_, state_);
      if (selector.smoothed)
        return Counted(expr, MakeSmoothedSelector(state_, selector, times, std::string(around)));
      return Counted(expr, MakeVectorSelector(state_, selector, times, SelectedValue::kValue,
                                              std::string(around)));
    }
    case ExprKind::kParen:
      return Vector(*As<ParenExpr>(expr).expr, around);
    case ExprKind::kAggregate:
      return Aggregate(As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return Binary(As<BinaryExpr>(expr));
    case ExprKind::kUnary:
      return Unary(As<UnaryExpr>(expr));
    case ExprKind::kCall:
      return Call(As<promql::Call>(expr));
    default:
      return Internal("not an instant vector: {}", ToString(expr));
  }
}

// Of an expression that is the same at every step.
StatusOr<OperatorPtr> Planner::EveryStep(const Expr& expr, std::string_view around) {
  Grid first = grid_;
  first.steps = 1;
  StepCounts* const counts = state_.counts;
  if (counts != nullptr) state_.counts = counts->OfEveryStep();
  StatusOr<OperatorPtr> source = Planner(state_, first).Vector(expr, around);
  state_.counts = counts;
  RETURN_IF_ERROR(source.status());
  return MakeBroadcast(state_, steps(), *std::move(source));
}

StatusOr<OperatorPtr> Planner::Unary(const UnaryExpr& expr) {
  ASSIGN_OR_RETURN(OperatorPtr source, Vector(*expr.expr, ""));
  if (!expr.negate) return source;
  return MakeElementwise(state_, steps(), std::move(source), Negate(), NameRule::kDrop,
                         UniqueWithoutName(*expr.expr), NegateHistograms, EqualLabels::kBySeries);
}

StatusOr<OperatorPtr> Planner::Remote(const RemotePart& part) {
  ASSIGN_OR_RETURN(OperatorPtr rows, MakeRemoteRows(part, state_, grid_));
  if (part.merge == nullptr) return rows;
  return AggregateRows(*part.merge, std::move(rows));
}

StatusOr<OperatorPtr> Planner::Aggregate(const AggregateExpr& expr) {
  const auto same = state_.notes.same_as.find(&expr);
  // Leaves may give the rows of one of them in another order than those of the other.
  if (same == state_.notes.same_as.end() || state_.plan != nullptr) return AggregateAnew(expr);
  const auto& last = As<AggregateExpr>(*same->second);
  return state_.shared.Share(
      state_, {.part = &last, .grid = grid_, .only_statistics = state_.only_statistics()},
      [&] { return AggregateAnew(last); });
}

StatusOr<OperatorPtr> Planner::AggregateAnew(const AggregateExpr& expr) {
  ASSIGN_OR_RETURN(OperatorPtr source, Vector(*expr.expr, AggregateName(expr.op)));
  return AggregateRows(expr, std::move(source));
}

StatusOr<OperatorPtr> Planner::AggregateRows(const AggregateExpr& expr, OperatorPtr source) {
  switch (expr.op) {
    case AggregateOp::kLimitRatio: {
      ASSIGN_OR_RETURN(std::vector<double> ratios, Scalar(*expr.param));
      return MakeLimitRatio(state_, expr, std::move(ratios), std::move(source));
    }
    case AggregateOp::kCountValues: {
      ASSIGN_OR_RETURN(std::string label, String(*expr.param));
      if (label.empty() || !model::IsValidUtf8(label)) {
        std::string text = "invalid label name ";
        model::AppendGoQuoted(text, label);
        return MakeError(StatusCode::kFailedPrecondition, std::move(text));
      }
      return MakeCountValues(state_, steps(), expr, std::move(label), std::move(source));
    }
    case AggregateOp::kTopk:
    case AggregateOp::kBottomk:
    case AggregateOp::kLimitk:
    case AggregateOp::kQuantile: {
      ASSIGN_OR_RETURN(std::vector<double> parameter, Scalar(*expr.param));
      if (expr.op == AggregateOp::kQuantile) WarnOfExtremes(parameter, *expr.param);
      return MakeRanking(state_, steps(), expr, std::move(parameter), std::move(source));
    }
    default:
      return MakeAggregation(state_, steps(), expr, std::move(source));
  }
}

void Planner::WarnOfQuantile(const std::vector<double>& ranks, const Expr& expr) {
  for (const double rank : ranks) {
    if (!IsQuantile(rank)) state_.annotations.AddWarning(QuantileWarning(rank), expr);
  }
}

// Of an aggregation the reference looks at the largest and the least rank, which NaN stands for
// where there is one.
void Planner::WarnOfExtremes(const std::vector<double>& ranks, const Expr& expr) {
  double least = 1;
  double most = 0;
  for (const double rank : ranks) {
    least = functions::SmallerOf(least, rank);
    most = functions::LargerOf(most, rank);
  }
  WarnOfQuantile({least, most}, expr);
}

StatusOr<OperatorPtr> Planner::Binary(const BinaryExpr& expr) {
  const bool trims = IsTrim(expr.op);
  state_.buckets_depth += trims ? 1 : 0;
  StatusOr<OperatorPtr> rows = BinaryRows(expr);
  state_.buckets_depth -= trims ? 1 : 0;
  return rows;
}

StatusOr<OperatorPtr> Planner::BinaryRows(const BinaryExpr& expr) {
  const bool left_vector = TypeOf(*expr.lhs) == ValueType::kVector;
  const bool right_vector = TypeOf(*expr.rhs) == ValueType::kVector;
  if (left_vector && right_vector) {
    ASSIGN_OR_RETURN(OperatorPtr lhs, Vector(*expr.lhs, ""));
    ASSIGN_OR_RETURN(OperatorPtr rhs, Vector(*expr.rhs, ""));
    return MakeVectorBinary(state_, steps(), expr, std::move(lhs), std::move(rhs));
  }
  const Expr& vector = left_vector ? *expr.lhs : *expr.rhs;
  ASSIGN_OR_RETURN(std::vector<double> scalar, Scalar(left_vector ? *expr.rhs : *expr.lhs));
  ASSIGN_OR_RETURN(OperatorPtr source, Vector(vector, ""));
  const bool keeps_name = KeepsName(expr);
  HistogramRowFunction histograms =
      HistogramScalarOperand(expr, scalar, !left_vector, state_.annotations);
  RowFunction numbers =
      IsTrim(expr.op) ? RefuseNumbers(expr, state_.annotations)
                      : ScalarOperand(expr.op, std::move(scalar), !left_vector, expr.return_bool);
  return MakeElementwise(state_, steps(), std::move(source), std::move(numbers),
                         keeps_name ? NameRule::kKeep : NameRule::kDrop, UniqueWithoutName(vector),
                         std::move(histograms));
}

StatusOr<OperatorPtr> Planner::Call(const promql::Call& call) {
  const std::string_view name = call.function->name;
  if (auto function = FindRangeFunction(name)) return Range(call, *std::move(function));
  if (const auto function = FindXFunction(name)) return XRange(call, *function);
  const bool of_start = name == "start_timestamp" && state_.use_start_timestamps;
  if (name == "timestamp" || of_start) {
    const Expr& arg = WithoutParens(*call.args[0]);
    if (arg.kind == ExprKind::kVectorSelector) {
      const auto& selector = As<VectorSelector>(arg);
      const SelectTimes times = TimesOf(selector.time, grid_, state_);
      const SelectedValue value =
          of_start ? SelectedValue::kStartTimestamp : SelectedValue::kTimestamp;
      return MakeElementwise(
          state_, steps(),
          Counted(call, MakeVectorSelector(state_, selector, times, value, std::string(name))),
          [](double*, std::uint8_t*, std::size_t) {}, NameRule::kDrop, UniqueWithoutName(arg));
    }
  }
  if (name == "absent") {
    ASSIGN_OR_RETURN(OperatorPtr source, Vector(*call.args[0], name));
    return Absent(WithoutParens(*call.args[0]), std::move(source), NameRule::kKeep);
  }
  return MakeCall(call, *this);
}

OperatorPtr Planner::Absent(const Expr& selector, OperatorPtr source, NameRule names) {
  return std::make_unique<AbsentOperator>(state_, steps(), functions::AbsentLabels(selector),
                                          std::move(source), names);
}

Status Planner::CheckParameters(const promql::Call& call, RangeFunction* function) {
  constexpr std::int64_t kNoteBytes = 256;  // of a text and its place in a map
  if (function->name == "quantile_over_time") {
    function->parameter_expr = call.args[0].get();
    for (std::size_t k = 0; k < steps(); ++k) {
      const double rank = function->parameters[k];
      if (IsQuantile(rank)) continue;
      RETURN_IF_ERROR(state_.scalars.Add(kNoteBytes, function->name));
      function->step_warnings.emplace(k, QuantileWarning(rank));
    }
  }
  if (function->name != "double_exponential_smoothing") return OkStatus();
  const auto check = [&](const std::vector<double>& values, std::string_view what,
                         std::string_view symbol) -> Status {
    for (std::size_t k = 0; k < values.size(); ++k) {
      if (!(values[k] <= 0 || values[k] >= 1)) continue;
      RETURN_IF_ERROR(state_.scalars.Add(kNoteBytes, function->name));
      function->step_errors.emplace(
          k, MakeError(StatusCode::kFailedPrecondition,
                       fmt::format("invalid {} factor. Expected: 0 < {} < 1, got: {:f}", what,
                                   symbol, values[k])));
    }
    return OkStatus();
  };
  RETURN_IF_ERROR(check(function->parameters, "smoothing", "sf"));
  return check(function->parameters2, "trend", "tf");
}

StatusOr<OperatorPtr> Planner::Range(const promql::Call& call, RangeFunction function) {
  const Expr* range = nullptr;
  for (const ExprPtr& arg : call.args) {
    if (TypeOf(*arg) == ValueType::kMatrix) {
      range = &WithoutParens(*arg);
    } else {
      ASSIGN_OR_RETURN(auto values, Scalar(*arg));
      (function.parameters.empty() ? function.parameters : function.parameters2) =
          std::move(values);
    }
  }
  RETURN_IF_ERROR(CheckParameters(call, &function));
  // To the reference a subquery is a selector without a place.
  static const NumberLiteral kStartOfQuery;
  function.argument = &WithoutParens(*call.args[0]);
  if (function.argument->kind == ExprKind::kSubquery) function.argument = &kStartOfQuery;
  function.counts = CountsOf(call);
  const bool keeps_name = function.keeps_name;
  const bool is_absent = function.name == "absent_over_time";
  OperatorPtr rows;
  if (range->kind == ExprKind::kMatrixSelector) {
    const auto& matrix = As<MatrixSelector>(*range);
    function.extension = ExtensionOf(*matrix.selector, state_.lookback_ms);
    RETURN_IF_ERROR(CheckExtension(function.extension, function.name));
    const SelectTimes times = TimesOf(matrix.selector->time, grid_, state_);
    rows = MakeRangeSelector(state_, matrix, times, std::move(function));
  } else {
    const auto& subquery = As<SubqueryExpr>(*range);
    const SelectTimes times = TimesOf(subquery.time, grid_, state_);
    ASSIGN_OR_RETURN(const Grid inner_grid, SubqueryGrid(subquery, times, state_));
    // What lies between the steps is not seen, so resets can't be taken from hints.
    ++state_.buckets_depth;
    state_.takes_series = true;
    // What is counted are the samples that the subquery gives, not those it looks at.
    StepCounts* const counts = std::exchange(state_.counts, nullptr);
    StatusOr<OperatorPtr> planned = Planner(state_, inner_grid).Vector(*subquery.expr);
    state_.counts = counts;
    state_.takes_series = false;
    --state_.buckets_depth;
    ASSIGN_OR_RETURN(OperatorPtr inner, std::move(planned));
    rows = MakeSubqueryFunction(state_, subquery, times, inner_grid, std::move(inner),
                                std::move(function));
  }
  if (is_absent) return Absent(*range, std::move(rows), NameRule::kDrop);
  if (keeps_name) return rows;
  return MakeMerging(state_, steps(), std::move(rows), UniqueWithoutName(*range),
                     EqualLabels::kRefused);
}

StatusOr<OperatorPtr> Planner::XRange(const promql::Call& call, XFunction function) {
  const std::string_view name = call.function->name;
  const Expr& range = WithoutParens(*call.args[0]);
  if (range.kind != ExprKind::kMatrixSelector)
    return Unimplemented("{} is not available over subqueries", name);
  const auto& matrix = As<MatrixSelector>(range);
  RETURN_IF_ERROR(CheckExtension(ExtensionOf(*matrix.selector, state_.lookback_ms), name));
  const SelectTimes times = TimesOf(matrix.selector->time, grid_, state_);
  return MakeMerging(state_, steps(), MakeXSelector(state_, matrix, times, function, name),
                     UniqueWithoutName(range), EqualLabels::kRefused);
}

StatusOr<std::vector<double>> Planner::Scalar(const Expr& expr) {
  if (state_.analysis == nullptr) return AnyScalar(expr);
  const auto began = std::chrono::steady_clock::now();
  StatusOr<std::vector<double>> values = AnyScalar(expr);
  state_.analysis->AddTime(expr, std::chrono::steady_clock::now() - began);
  return values;
}

StatusOr<std::vector<double>> Planner::AnyScalar(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kNumber:
      return Constant(As<NumberLiteral>(expr).value);
    case ExprKind::kParen:
      return Scalar(*As<ParenExpr>(expr).expr);
    case ExprKind::kUnary: {
      ASSIGN_OR_RETURN(std::vector<double> values, Scalar(*As<UnaryExpr>(expr).expr));
      if (As<UnaryExpr>(expr).negate)
        std::transform(values.begin(), values.end(), values.begin(), std::negate<>());
      return values;
    }
    case ExprKind::kBinary: {
      const auto& binary = As<BinaryExpr>(expr);
      ASSIGN_OR_RETURN(std::vector<double> lhs, Scalar(*binary.lhs));
      ASSIGN_OR_RETURN(const std::vector<double> rhs, Scalar(*binary.rhs));
      RETURN_IF_ERROR(state_.context.status());
      for (std::size_t k = 0; k < steps(); ++k) lhs[k] = Apply(binary.op, lhs[k], rhs[k]);
      state_.scalars.Subtract(ScalarBytes());
      return lhs;
    }
    case ExprKind::kCall:
      break;
    default:
      return Internal("not a scalar: {}", ToString(expr));
  }
  const auto& call = As<promql::Call>(expr);
  const std::string_view name = call.function->name;
  if (name == "pi") return Constant(3.14159265358979323846);
  if (name == "time") {
    ASSIGN_OR_RETURN(std::vector<double> values, Constant(0));
    for (std::size_t k = 0; k < steps(); ++k) values[k] = static_cast<double>(grid_.At(k)) / 1000;
    return values;
  }
  if (name == "scalar") return ScalarOfVector(*call.args[0]);
  if (name == "min_of" || name == "max_of") {
    ASSIGN_OR_RETURN(std::vector<double> values, Scalar(*call.args[0]));
    ASSIGN_OR_RETURN(const std::vector<double> others, Scalar(*call.args[1]));
    const auto pick = name == "min_of" ? functions::SmallerOf : functions::LargerOf;
    std::transform(values.begin(), values.end(), others.begin(), values.begin(), pick);
    state_.scalars.Subtract(ScalarBytes());
    return values;
  }
  ASSIGN_OR_RETURN(const double value, OfQuery(name, state_));
  return Constant(value);
}

std::int64_t Planner::ScalarBytes() const {
  return static_cast<std::int64_t>(steps() * sizeof(double));
}

StatusOr<std::vector<double>> Planner::Constant(double value) {
  RETURN_IF_ERROR(state_.context.status());
  RETURN_IF_ERROR(state_.scalars.Add(ScalarBytes(), "scalar"));
  return std::vector<double>(steps(), value);
}

// The value of the only series of a vector; NaN where there is none or more than one.
StatusOr<std::vector<double>> Planner::ScalarOfVector(const Expr& expr) {
  const bool around_takes = std::exchange(state_.takes_series, false);
  StatusOr<OperatorPtr> planned = Vector(expr, "scalar");
  state_.takes_series = around_takes;
  ASSIGN_OR_RETURN(const OperatorPtr source, std::move(planned));
  ASSIGN_OR_RETURN(std::vector<double> values, Constant(kNan));
  MemoryCharge charge(state_.context.budget());
  RETURN_IF_ERROR(charge.Add(ScalarBytes(), "scalar"));
  std::vector<std::uint32_t> count(steps());
  RowBatch batch;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, source->Next(&batch));
    if (!more) break;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      for (std::size_t k = 0; k < steps(); ++k) {
        if (batch.present(i)[k] == 0) continue;
        values[k] = ++count[k] == 1 ? batch.values(i)[k] : kNan;
      }
    }
  }
  return values;
}

StatusOr<double> OfQuery(std::string_view name, const QueryState& state) {
  using std::chrono::milliseconds;
  const auto seconds = [](TimestampMs time) { return static_cast<double>(time) / 1000; };
  if (name == "start") return seconds(state.query_start);
  if (name == "end") return seconds(state.query_end);
  if (name == "range") return GoSeconds(milliseconds(state.query_end - state.query_start));
  if (name == "step") {
    const bool instant = state.query_start == state.query_end;
    return GoSeconds(milliseconds(instant ? 0 : state.query_step_ms));
  }
  return Unimplemented("function \"{}\" is not available yet", name);
}

}  // namespace aevum::promql
