#include "promql/engine/aggregation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "promql/engine/deadline_check.h"
#include "promql/engine/groups.h"
#include "promql/engine/histogram_cells.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/kahan.h"
#include "promql/engine/row_kernels.h"

namespace aevum::promql {
namespace {

constexpr std::string_view kGroups = "groups of an aggregation";

// One accumulator an operator: rows of state for each group, to which rows of series are added.
class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual void AddGroup() = 0;
  virtual void AddRow(std::size_t group, const double* values, const std::uint8_t* present) = 0;
  virtual void Finish(std::size_t group, double* values, std::uint8_t* present) const = 0;
  // Whether a number was added at the step.
  virtual bool Seen(std::size_t group, std::size_t step) const = 0;
  // Bytes that a group takes, for each step.
  virtual std::int64_t bytes_per_step() const = 0;
};

class SumAccumulator final : public Accumulator {
 public:
  explicit SumAccumulator(std::size_t steps)
      : steps_(steps), sum_(steps), compensation_(steps), seen_(steps) {}
  void AddGroup() override {
    sum_.Add();
    compensation_.Add();
    seen_.Add();
    std::fill_n(sum_.row(groups_++), steps_, kEmptySum);
  }
  void AddRow(std::size_t group, const double* values, const std::uint8_t* present) override {
    AddCompensated(steps_, values, present, sum_.row(group), compensation_.row(group));
    std::uint8_t* seen = seen_.row(group);
    for (std::size_t k = 0; k < steps_; ++k) seen[k] |= present[k];
  }
  void Finish(std::size_t group, double* values, std::uint8_t* present) const override {
    const double* sum = sum_.row(group);
    const double* compensation = compensation_.row(group);
    for (std::size_t k = 0; k < steps_; ++k)
      values[k] = std::isinf(sum[k]) ? sum[k] : sum[k] + compensation[k];
    std::copy_n(seen_.row(group), steps_, present);
  }
  bool Seen(std::size_t group, std::size_t step) const override {
    return seen_.row(group)[step] != 0;
  }
  std::int64_t bytes_per_step() const override { return 17; }

 private:
  const std::size_t steps_;
  std::size_t groups_ = 0;
  GroupRows<double> sum_;
  GroupRows<double> compensation_;
  GroupRows<std::uint8_t> seen_;
};

// Any state that takes values one by one.
template <typename State>
class StateAccumulator final : public Accumulator {
 public:
  explicit StateAccumulator(std::size_t steps) : steps_(steps), states_(steps), seen_(steps) {}
  void AddGroup() override {
    states_.Add();
    seen_.Add();
  }
  void AddRow(std::size_t group, const double* values, const std::uint8_t* present) override {
    State* states = states_.row(group);
    std::uint8_t* seen = seen_.row(group);
    for (std::size_t k = 0; k < steps_; ++k) {
      if (present[k] == 0) continue;
      states[k].Add(values[k]);
      seen[k] = 1;
    }
  }
  void Finish(std::size_t group, double* values, std::uint8_t* present) const override {
    const State* states = states_.row(group);
    const std::uint8_t* seen = seen_.row(group);
    for (std::size_t k = 0; k < steps_; ++k) {
      present[k] = seen[k];
      values[k] = seen[k] != 0 ? states[k].Result() : 0;
    }
  }
  bool Seen(std::size_t group, std::size_t step) const override {
    return seen_.row(group)[step] != 0;
  }
  std::int64_t bytes_per_step() const override { return sizeof(State) + 1; }

 private:
  const std::size_t steps_;
  GroupRows<State> states_;
  GroupRows<std::uint8_t> seen_;
};

struct MeanState {
  KahanMean mean;
  void Add(double value) { mean.Add(value); }
  double Result() const { return mean.Mean(); }
};

struct CountState {
  double count = 0;
  void Add(double /*value*/) { count += 1; }
  double Result() const { return count; }
};

struct GroupState {
  void Add(double /*value*/) {}
  double Result() const { return 1; }
};

// NaN gives way to any number.
struct MinState {
  double least = std::numeric_limits<double>::quiet_NaN();
  void Add(double value) { least = least > value || std::isnan(least) ? value : least; }
  double Result() const { return least; }
};

struct MaxState {
  double most = std::numeric_limits<double>::quiet_NaN();
  void Add(double value) { most = most < value || std::isnan(most) ? value : most; }
  double Result() const { return most; }
};

// Welford's running variance.
struct VarianceState {
  double count = 0;
  double mean = 0;
  double squares = 0;
  void Add(double value) {
    count += 1;
    if (count == 1) {
      mean = value;
      squares = std::isfinite(value) ? 0 : std::numeric_limits<double>::quiet_NaN();
      return;
    }
    const double delta = value - mean;
    mean += delta / count;
    squares += delta * (value - mean);
  }
  double Result() const { return squares / count; }
};

struct DeviationState : VarianceState {
  double Result() const { return std::sqrt(VarianceState::Result()); }
};

std::unique_ptr<Accumulator> MakeAccumulator(AggregateOp op, std::size_t steps) {
  switch (op) {
    case AggregateOp::kAvg:
      return std::make_unique<StateAccumulator<MeanState>>(steps);
    case AggregateOp::kCount:
      return std::make_unique<StateAccumulator<CountState>>(steps);
    case AggregateOp::kMin:
      return std::make_unique<StateAccumulator<MinState>>(steps);
    case AggregateOp::kMax:
      return std::make_unique<StateAccumulator<MaxState>>(steps);
    case AggregateOp::kGroup:
      return std::make_unique<StateAccumulator<GroupState>>(steps);
    case AggregateOp::kStddev:
      return std::make_unique<StateAccumulator<DeviationState>>(steps);
    case AggregateOp::kStdvar:
      return std::make_unique<StateAccumulator<VarianceState>>(steps);
    default:
      return std::make_unique<SumAccumulator>(steps);
  }
}

bool TakesHistograms(AggregateOp op) {
  return op == AggregateOp::kSum || op == AggregateOp::kAvg || op == AggregateOp::kCount ||
         op == AggregateOp::kGroup;
}

class AggregationOperator final : public Operator {
 public:
  AggregationOperator(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                      OperatorPtr source)
      : state_(state),
        steps_(steps),
        expr_(expr),
        groups_(Grouping(expr.grouping, expr.without), state, kGroups),
        accumulator_(MakeAccumulator(expr.op, steps)),
        cells_(state, steps, expr),
        marks_(state),
        source_(std::move(source)),
        charge_(state.context.budget()) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (source_ != nullptr) RETURN_IF_ERROR(Consume());
    out->Reset(steps_, state_.context.budget());
    const std::size_t end = std::min(groups_.size(), next_ + RowBatch::RowsPerBatch(steps_));
    for (; next_ < end; ++next_) {
      RETURN_IF_ERROR(out->Add(groups_.labels(next_), "aggregation"));
      accumulator_->Finish(next_, out->values(out->size() - 1), out->present(out->size() - 1));
      RETURN_IF_ERROR(cells_.Finish(next_, out));
      out->set_drops_name(out->size() - 1, marks_.drops_name(next_));
    }
    return !out->empty();
  }

 private:
  Status Consume() {
    RowBatch batch;
    DeadlineCheck deadline(state_.context);
    while (true) {
      RETURN_IF_ERROR(state_.context.status());
      ASSIGN_OR_RETURN(const bool more, source_->Next(&batch));
      if (!more) break;
      for (std::size_t i = 0; i < batch.size(); ++i) {
        RETURN_IF_ERROR(deadline.After(steps_));
        const std::size_t known = groups_.size();
        ASSIGN_OR_RETURN(const std::size_t group, groups_.Find(batch.labels(i)));
        if (groups_.size() > known) {
          RETURN_IF_ERROR(charge_.Add(
              accumulator_->bytes_per_step() * static_cast<std::int64_t>(steps_), kGroups));
          accumulator_->AddGroup();
        }
        marks_.Add(group, batch, i, TakesHistograms(expr_.op));
        if (batch.histograms(i) != nullptr) {
          RETURN_IF_ERROR(AddMixedRow(group, batch, i));
        } else {
          accumulator_->AddRow(group, batch.values(i), batch.present(i));
        }
      }
    }
    source_.reset();
    return OkStatus();
  }

  Status AddMixedRow(std::size_t group, const RowBatch& batch, std::size_t row) {
    switch (expr_.op) {
      case AggregateOp::kCount:
      case AggregateOp::kGroup: {
        std::vector<std::uint8_t> holds(steps_);
        for (std::size_t k = 0; k < steps_; ++k) holds[k] = batch.Holds(row, k) ? 1 : 0;
        accumulator_->AddRow(group, batch.values(row), holds.data());
        return OkStatus();
      }
      case AggregateOp::kSum:
      case AggregateOp::kAvg:
        for (std::size_t k = 0; k < steps_; ++k) {
          const HistogramPtr& histogram = batch.histograms(row)[k];
          if (histogram == nullptr) continue;
          RETURN_IF_ERROR(cells_.Add(group, k, *histogram, accumulator_->Seen(group, k),
                                     batch.labels(row).Get(model::kMetricName)));
        }
        break;
      default:
        if (std::any_of(batch.histograms(row), batch.histograms(row) + steps_,
                        [](const HistogramPtr& h) { return h != nullptr; })) {
          HistogramNotes(state_.annotations, WithoutParens(*expr_.expr))
              .IgnoredInAggregation(AggregateName(expr_.op));
        }
    }
    accumulator_->AddRow(group, batch.values(row), batch.present(row));
    return OkStatus();
  }

  QueryState& state_;
  const std::size_t steps_;
  const AggregateExpr& expr_;
  Groups groups_;
  std::unique_ptr<Accumulator> accumulator_;
  HistogramCells cells_;
  GroupMarks marks_;
  OperatorPtr source_;
  MemoryCharge charge_;
  std::size_t next_ = 0;
};

}  // namespace

model::Labels Grouping::Of(const model::Labels& labels) const {
  if (IsSingle()) return {};
  model::LabelsBuilder builder(labels);
  if (!without_) return builder.Keep(labels_).Build();
  builder.Remove(model::kMetricName);
  for (const std::string& label : labels_) builder.Remove(label);
  return builder.Build();
}

StatusOr<std::size_t> Groups::Find(const model::Labels& labels) {
  constexpr std::int64_t kGroupBytes = 128;  // of the index and the vector
  if (grouping_.IsSingle()) {
    if (labels_.empty()) labels_.emplace_back();
    return std::size_t{0};
  }
  model::Labels key = grouping_.Of(labels);
  const auto known = index_.find(key);
  if (known != index_.end()) return known->second;
  RETURN_IF_ERROR(charge_.Add(kGroupBytes + static_cast<std::int64_t>(key.memory_bytes()), who_));
  const std::size_t number = labels_.size();
  labels_.push_back(key);
  index_.emplace(std::move(key), number);
  return number;
}

OperatorPtr MakeAggregation(QueryState& state, std::size_t steps, const AggregateExpr& expr,
                            OperatorPtr source) {
  return std::make_unique<AggregationOperator>(state, steps, expr, std::move(source));
}

}  // namespace aevum::promql
