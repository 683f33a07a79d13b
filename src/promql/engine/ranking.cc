// Aggregations that need all series of a step at once: topk, bottomk, limitk, quantile,
// count_values.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "promql/engine/aggregation.h"
#include "promql/engine/groups.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/range_function.h"
#include "promql/functions/native_histograms.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

// Reads a source whole on the first Next and gives the rows that Make makes of it.
class WholeOperator : public Operator {
 public:
  WholeOperator(QueryState& state, std::size_t steps, std::string_view who, OperatorPtr source)
      : state_(state), steps_(steps), who_(who), source_(std::move(source)) {}

  StatusOr<bool> Next(RowBatch* out) final {
    if (rows_ == nullptr) {
      ASSIGN_OR_RETURN(RowBatch input, Materialize(*source_, state_, steps_));
      source_.reset();
      ASSIGN_OR_RETURN(RowBatch result, Make(std::move(input)));
      rows_ = MakeRowSource(std::move(result), state_.context.budget());
    }
    return rows_->Next(out);
  }

 protected:
  virtual StatusOr<RowBatch> Make(RowBatch input) = 0;

  // The rows of each group.
  static std::vector<std::vector<std::size_t>> Members(const RowBatch& input, Groups* groups) {
    std::vector<std::vector<std::size_t>> members;
    for (std::size_t i = 0; i < input.size(); ++i) {
      const std::size_t group = groups->Find(input.labels(i));
      members.resize(groups->size());
      members[group].push_back(i);
    }
    return members;
  }

  QueryState& state_;
  const std::size_t steps_;
  const std::string_view who_;

 private:
  OperatorPtr source_;
  OperatorPtr rows_;
};

// Before others in topk and bottomk: the better value, any number before NaN; ties keep their
// order.
bool Better(AggregateOp op, double a, double b) {
  if (std::isnan(a)) return false;
  if (std::isnan(b)) return true;
  return op == AggregateOp::kTopk ? a > b : a < b;
}

class SelectionOperator final : public WholeOperator {
 public:
  SelectionOperator(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                    std::vector<double> parameter, OperatorPtr source)
      : WholeOperator(state, steps, AggregateName(expr.op), std::move(source)),
        expr_(expr),
        op_(expr.op),
        grouping_(expr.grouping, expr.without),
        parameter_(std::move(parameter)) {}

 private:
  StatusOr<RowBatch> Make(RowBatch input) override {
    RETURN_IF_ERROR(CheckParameters());
    Groups groups(grouping_);
    const auto members = Members(input, &groups);
    std::vector<std::uint8_t> kept(input.size() * steps_);
    std::vector<std::size_t> order;  // of an instant query: best first
    std::vector<std::size_t> candidates;
    for (const std::vector<std::size_t>& rows : members) {
      RETURN_IF_ERROR(state_.context.status());
      for (std::size_t k = 0; k < steps_; ++k) {
        candidates.clear();
        for (const std::size_t row : rows) {
          if (input.present(row)[k] != 0 || (op_ == AggregateOp::kLimitk && input.Holds(row, k))) {
            candidates.push_back(row);
          } else if (parameter_[k] >= 1 && input.Holds(row, k)) {
            HistogramNotes(state_.annotations, expr_).IgnoredInAggregation(AggregateName(op_));
          }
        }
        Choose(input, k, &candidates);
        for (const std::size_t row : candidates) kept[row * steps_ + k] = 1;
        if (steps_ == 1) order.insert(order.end(), candidates.begin(), candidates.end());
      }
    }
    if (steps_ > 1) {
      order.resize(input.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
    }
    return Take(input, kept, order);
  }

  Status CheckParameters() const {
    for (const double k : parameter_) {
      if (std::isnan(k))
        return MakeError(StatusCode::kFailedPrecondition, "Parameter value is NaN");
      if (!(std::abs(k) < 9.2e18)) {
        return MakeError(StatusCode::kFailedPrecondition,
                         fmt::format("Scalar value {} overflows int64", FormatNumber(k)));
      }
    }
    return OkStatus();
  }

  void Choose(const RowBatch& input, std::size_t k, std::vector<std::size_t>* rows) const {
    const auto limit = static_cast<std::size_t>(
        std::max<std::int64_t>(0, static_cast<std::int64_t>(parameter_[k])));
    if (op_ != AggregateOp::kLimitk) {
      std::stable_sort(rows->begin(), rows->end(), [&](std::size_t a, std::size_t b) {
        return Better(op_, input.values(a)[k], input.values(b)[k]);
      });
    }
    if (rows->size() > limit) rows->resize(limit);
  }

  StatusOr<RowBatch> Take(const RowBatch& input, const std::vector<std::uint8_t>& kept,
                          const std::vector<std::size_t>& order) {
    RowBatch result;
    result.Reset(steps_, state_.context.budget());
    for (const std::size_t row : order) {
      const auto first = kept.begin() + static_cast<std::ptrdiff_t>(row * steps_);
      if (std::find(first, first + static_cast<std::ptrdiff_t>(steps_), 1) ==
          first + static_cast<std::ptrdiff_t>(steps_))
        continue;
      RETURN_IF_ERROR(result.Add(input.labels(row), who_));
      const std::size_t at = result.size() - 1;
      result.set_drops_name(at, input.drops_name(row));
      for (std::size_t k = 0; k < steps_; ++k) {
        if (first[static_cast<std::ptrdiff_t>(k)] == 0) continue;
        if (input.present(row)[k] == 0) {
          RETURN_IF_ERROR(result.SetHistogram(at, k, input.histograms(row)[k], who_));
          continue;
        }
        result.values(at)[k] = input.values(row)[k];
        result.present(at)[k] = 1;
      }
    }
    return result;
  }

  const AggregateExpr& expr_;
  const AggregateOp op_;
  const Grouping grouping_;
  const std::vector<double> parameter_;
};

class QuantileOperator final : public WholeOperator {
 public:
  QuantileOperator(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                   std::vector<double> parameter, OperatorPtr source)
      : WholeOperator(state, steps, "quantile", std::move(source)),
        expr_(expr),
        grouping_(expr.grouping, expr.without),
        parameter_(std::move(parameter)) {}

 private:
  StatusOr<RowBatch> Make(RowBatch input) override {
    Groups groups(grouping_);
    const auto members = Members(input, &groups);
    RowBatch result;
    result.Reset(steps_, state_.context.budget());
    std::vector<double> values;
    GroupMarks marks(state_);
    for (std::size_t group = 0; group < members.size(); ++group) {
      RETURN_IF_ERROR(state_.context.status());
      RETURN_IF_ERROR(result.Add(groups.labels(group), who_));
      for (const std::size_t row : members[group]) marks.Add(group, input, row, false);
      result.set_drops_name(group, marks.drops_name(group));
      for (std::size_t k = 0; k < steps_; ++k) {
        values.clear();
        for (const std::size_t row : members[group]) {
          if (input.present(row)[k] != 0) {
            values.push_back(input.values(row)[k]);
          } else if (input.Holds(row, k)) {
            HistogramNotes(state_.annotations, WithoutParens(*expr_.expr))
                .IgnoredInAggregation("quantile");
          }
        }
        if (values.empty()) continue;
        result.present(group)[k] = 1;
        result.values(group)[k] = Quantile(parameter_[k], &values);
      }
    }
    return result;
  }

  const AggregateExpr& expr_;
  const Grouping grouping_;
  const std::vector<double> parameter_;
};

class CountValuesOperator final : public WholeOperator {
 public:
  CountValuesOperator(QueryState& state, std::size_t steps, Grouping grouping, std::string label,
                      OperatorPtr source)
      : WholeOperator(state, steps, "count_values", std::move(source)),
        grouping_(std::move(grouping)),
        label_(std::move(label)) {}

 private:
  StatusOr<RowBatch> Make(RowBatch input) override {
    RowBatch result;
    result.Reset(steps_, state_.context.budget());
    LabelsMap<std::size_t> index;
    for (std::size_t i = 0; i < input.size(); ++i) {
      RETURN_IF_ERROR(state_.context.status());
      const model::Labels group = grouping_.Of(input.labels(i));
      for (std::size_t k = 0; k < steps_; ++k) {
        if (!input.Holds(i, k)) continue;
        const std::string text = input.present(i)[k] != 0
                                     ? FormatNumber(input.values(i)[k])
                                     : functions::NativeText(*input.histograms(i)[k]);
        const auto [it, inserted] =
            index.emplace(model::LabelsBuilder(group).Set(label_, text).Build(), result.size());
        if (inserted) RETURN_IF_ERROR(result.Add(it->first, who_));
        result.values(it->second)[k] += 1;
        result.present(it->second)[k] = 1;
      }
    }
    return result;
  }

  const Grouping grouping_;
  const std::string label_;
};

}  // namespace

OperatorPtr MakeRanking(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                        std::vector<double> parameter, OperatorPtr source) {
  if (expr.op == AggregateOp::kQuantile) {
    return std::make_unique<QuantileOperator>(state, steps, expr, std::move(parameter),
                                              std::move(source));
  }
  return std::make_unique<SelectionOperator>(state, steps, expr, std::move(parameter),
                                             std::move(source));
}

OperatorPtr MakeCountValues(QueryState& state, std::size_t steps, Grouping grouping,
                            std::string label, OperatorPtr source) {
  return std::make_unique<CountValuesOperator>(state, steps, std::move(grouping), std::move(label),
                                               std::move(source));
}

}  // namespace aevum::promql
