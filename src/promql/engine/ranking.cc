// Aggregations that need all series of a step at once: topk, bottomk, limitk, quantile,
// count_values.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>

#include "promql/engine/aggregation.h"
#include "promql/engine/deadline_check.h"
#include "promql/engine/groups.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/range_function.h"
#include "promql/functions/native_histograms.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

// What these cost, in values looked at.
constexpr std::size_t kSortCost = 8;
constexpr std::size_t kTextCost = 256;

constexpr std::size_t kEntryBytes = 64;   // of an index by labels
constexpr std::size_t kNumberBytes = 48;  // of an index by numbers

// Reads a source whole on the first Next and gives the rows that Make makes of it.
class WholeOperator : public Operator {
 public:
  WholeOperator(QueryState& state, std::size_t steps, std::string_view who, OperatorPtr source)
      : state_(state),
        steps_(steps),
        who_(who),
        source_(std::move(source)),
        charge_(state.context.budget()) {}

  StatusOr<bool> Next(RowBatch* out) final {
    if (rows_ == nullptr) {
      ASSIGN_OR_RETURN(RowBatch input, Materialize(*source_, state_, steps_));
      source_.reset();
      ASSIGN_OR_RETURN(RowBatch result, Make(std::move(input)));
      charge_.Reset();
      rows_ = MakeRowSource(std::move(result), state_.context.budget());
    }
    return rows_->Next(out);
  }

 protected:
  virtual StatusOr<RowBatch> Make(RowBatch input) = 0;

  using MembersOfGroups = std::vector<std::vector<std::size_t>>;

  // The rows of each group.
  StatusOr<MembersOfGroups> Members(const RowBatch& input, Groups* groups) {
    MembersOfGroups members;
    RETURN_IF_ERROR(Charge(2 * sizeof(std::size_t) * input.size()));
    for (std::size_t i = 0; i < input.size(); ++i) {
      ASSIGN_OR_RETURN(const std::size_t group, groups->Find(input.labels(i)));
      if (group == members.size()) RETURN_IF_ERROR(Charge(2 * sizeof members[0]));
      members.resize(groups->size());
      members[group].push_back(i);
    }
    return members;
  }

  // For what Make needs beside its rows; released when it is done.
  Status Charge(std::size_t bytes) { return charge_.Add(static_cast<std::int64_t>(bytes), who_); }

  QueryState& state_;
  const std::size_t steps_;
  const std::string_view who_;

 private:
  OperatorPtr source_;
  OperatorPtr rows_;
  MemoryCharge charge_;
};

// Before others in topk and bottomk: the better value, any number before NaN; ties keep their
// order.
bool Better(AggregateOp op, double a, double b) {
  if (std::isnan(a)) return false;
  if (std::isnan(b)) return true;
  return op == AggregateOp::kTopk ? a > b : a < b;
}

// The rows that topk and bottomk keep at a step. Which of equal values those are is up to the heap
// of the reference, so this one makes the same moves: the worst of the kept is its root.
class BestRows {
 public:
  BestRows(AggregateOp op, const RowBatch& rows, std::size_t step, std::size_t limit)
      : op_(op), rows_(rows), step_(step), limit_(limit) {}

  void Offer(std::size_t row) {
    if (heap_.size() < limit_) {
      heap_.push_back(row);
      Rise(heap_.size() - 1);
    } else if (Better(op_, Value(row), Value(heap_[0]))) {
      heap_[0] = row;
      Sink();
    }
  }

  // Best first.
  std::vector<std::size_t> Take() {
    std::stable_sort(heap_.begin(), heap_.end(),
                     [&](std::size_t a, std::size_t b) { return Better(op_, Value(a), Value(b)); });
    return std::move(heap_);
  }

 private:
  double Value(std::size_t row) const { return rows_.values(row)[step_]; }
  // NaN goes below everything, NaN included.
  bool Worse(std::size_t i, std::size_t j) const {
    const double value = Value(heap_[i]);
    return std::isnan(value) || Better(op_, Value(heap_[j]), value);
  }

  void Rise(std::size_t i) {
    for (; i > 0 && Worse(i, (i - 1) / 2); i = (i - 1) / 2) std::swap(heap_[i], heap_[(i - 1) / 2]);
  }

  void Sink() {
    for (std::size_t i = 0; 2 * i + 1 < heap_.size();) {
      std::size_t child = 2 * i + 1;
      if (child + 1 < heap_.size() && Worse(child + 1, child)) ++child;
      if (!Worse(child, i)) return;
      std::swap(heap_[i], heap_[child]);
      i = child;
    }
  }

  const AggregateOp op_;
  const RowBatch& rows_;
  const std::size_t step_;
  const std::size_t limit_;
  std::vector<std::size_t> heap_;
};

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
    // Nothing is chosen at any step, whatever else is wrong with the parameter.
    if (std::all_of(parameter_.begin(), parameter_.end(), [](double k) { return k < 1; }))
      return Take(input, std::vector<std::uint8_t>(input.size() * steps_), {});
    RETURN_IF_ERROR(CheckParameters());
    Groups groups(grouping_, state_, who_);
    ASSIGN_OR_RETURN(const MembersOfGroups members, Members(input, &groups));
    RETURN_IF_ERROR(Charge(input.size() * (steps_ + 2 * sizeof(std::size_t))));
    DeadlineCheck deadline(state_.context);
    std::vector<std::uint8_t> kept(input.size() * steps_);
    std::vector<std::size_t> order;  // of an instant query: best first
    std::vector<std::size_t> candidates;
    for (const std::vector<std::size_t>& rows : members) {
      for (std::size_t k = 0; k < steps_; ++k) {
        RETURN_IF_ERROR(deadline.After(kSortCost * rows.size()));
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
    constexpr double kEnd = 9223372036854775808.0;
    if (std::any_of(parameter_.begin(), parameter_.end(), [](double k) { return std::isnan(k); }))
      return MakeError(StatusCode::kFailedPrecondition, "Parameter value is NaN");
    const auto [least, most] = std::minmax_element(parameter_.begin(), parameter_.end());
    const auto error = [](double value, std::string_view what) {
      return MakeError(StatusCode::kFailedPrecondition,
                       fmt::format("Scalar value {} {} int64", FormatShort(value), what));
    };
    if (*least <= -kEnd) return error(*least, "underflows");
    if (*most >= kEnd) return error(*most, "overflows");
    return OkStatus();
  }

  void Choose(const RowBatch& input, std::size_t k, std::vector<std::size_t>* rows) const {
    const auto limit = static_cast<std::size_t>(
        std::max<std::int64_t>(0, static_cast<std::int64_t>(parameter_[k])));
    if (limit == 0) {
      rows->clear();
    } else if (op_ == AggregateOp::kLimitk) {
      rows->resize(std::min(rows->size(), limit));
    } else {
      BestRows best(op_, input, k, limit);
      for (const std::size_t row : *rows) best.Offer(row);
      *rows = best.Take();
    }
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
    Groups groups(grouping_, state_, who_);
    ASSIGN_OR_RETURN(const MembersOfGroups members, Members(input, &groups));
    DeadlineCheck deadline(state_.context);
    RowBatch result;
    result.Reset(steps_, state_.context.budget());
    std::vector<double> values;
    GroupMarks marks(state_);
    for (std::size_t group = 0; group < members.size(); ++group) {
      RETURN_IF_ERROR(result.Add(groups.labels(group), who_));
      for (const std::size_t row : members[group]) marks.Add(group, input, row, false);
      result.set_drops_name(group, marks.drops_name(group));
      for (std::size_t k = 0; k < steps_; ++k) {
        values.clear();
        RETURN_IF_ERROR(deadline.After(kSortCost * members[group].size()));
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
  CountValuesOperator(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                      std::string label, OperatorPtr source)
      : WholeOperator(state, steps, "count_values", std::move(source)),
        grouping_(expr.grouping, expr.without),
        without_(expr.without),
        label_(std::move(label)),
        own_label_(!expr.without && std::find(expr.grouping.begin(), expr.grouping.end(), label_) ==
                                        expr.grouping.end()) {}

 private:
  // A number of a group, by its bits; all NaN are one.
  struct Counted {
    std::size_t group;
    std::uint64_t bits;
    bool operator==(const Counted&) const = default;
  };
  struct CountedHash {
    std::size_t operator()(const Counted& counted) const {
      return (counted.bits + counted.group) * 0x9e3779b97f4a7c15 >> 8;
    }
  };

  StatusOr<RowBatch> Make(RowBatch input) override {
    RowBatch result;
    result.Reset(steps_, state_.context.budget());
    LabelsMap<std::size_t> groups;
    DeadlineCheck deadline(state_.context);
    for (std::size_t i = 0; i < input.size(); ++i) {
      const std::size_t group =
          groups.emplace(grouping_.Of(input.labels(i)), groups.size()).first->second;
      for (std::size_t k = 0; k < steps_; ++k) {
        if (!input.Holds(i, k)) continue;
        RETURN_IF_ERROR(deadline.After(kTextCost));
        ASSIGN_OR_RETURN(const std::size_t row, RowOf(input, i, k, group, &result));
        result.values(row)[k] += 1;
        result.present(row)[k] = 1;
      }
    }
    return result;
  }

  // The row that counts what a series has at a step. A number that was seen in its group before is
  // found without being written out.
  StatusOr<std::size_t> RowOf(const RowBatch& input, std::size_t series, std::size_t step,
                              std::size_t group, RowBatch* result) {
    if (input.present(series)[step] == 0) {
      return RowOf(input.labels(series), functions::NativeText(*input.histograms(series)[step]),
                   result);
    }
    const double value = input.values(series)[step];
    const std::uint64_t bits = std::bit_cast<std::uint64_t>(
        std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value);
    const auto [it, inserted] = numbers_.try_emplace(Counted{.group = group, .bits = bits}, 0);
    if (inserted) {
      RETURN_IF_ERROR(Charge(kNumberBytes));
      const std::string text = FormatNumber(value);
      if (own_label_) {
        it->second = result->size();
        RETURN_IF_ERROR(result->Add(LabelsOf(input.labels(series), text), who_));
      } else {
        ASSIGN_OR_RETURN(it->second, RowOf(input.labels(series), text, result));
      }
    }
    return it->second;
  }

  // The row of a text, which groups may share where the label is one of theirs.
  StatusOr<std::size_t> RowOf(const model::Labels& labels, std::string_view text,
                              RowBatch* result) {
    const auto [it, inserted] = rows_.emplace(LabelsOf(labels, text), result->size());
    if (inserted) {
      RETURN_IF_ERROR(Charge(kEntryBytes));
      RETURN_IF_ERROR(result->Add(it->first, who_));
    }
    return it->second;
  }

  // The value is a label of the series before it is grouped: `without` may take it away again.
  model::Labels LabelsOf(const model::Labels& labels, std::string_view value) const {
    if (without_) return grouping_.Of(model::LabelsBuilder(labels).Set(label_, value).Build());
    return model::LabelsBuilder(grouping_.Of(labels)).Set(label_, value).Build();
  }

  const Grouping grouping_;
  const bool without_;
  const std::string label_;
  const bool own_label_;  // no group has it, so each number of a group has a row of its own
  std::unordered_map<Counted, std::size_t, CountedHash> numbers_;
  LabelsMap<std::size_t> rows_;
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

OperatorPtr MakeCountValues(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                            std::string label, OperatorPtr source) {
  return std::make_unique<CountValuesOperator>(state, steps, expr, std::move(label),
                                               std::move(source));
}

}  // namespace aevum::promql
