#include "promql/engine/elementwise.h"

#include <cmath>
#include <unordered_set>
#include <utility>

#include "model/elementary_functions.h"
#include "promql/engine/groups.h"

namespace aevum::promql {
namespace {

class ElementwiseOperator final : public Operator {
 public:
  ElementwiseOperator(QueryState& state, OperatorPtr source, RowFunction function, NameRule names,
                      HistogramRowFunction histograms)
      : state_(state),
        source_(std::move(source)),
        function_(std::move(function)),
        names_(names),
        histograms_(std::move(histograms)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    RETURN_IF_ERROR(state_.context.status());
    ASSIGN_OR_RETURN(const bool more, source_->Next(out));
    for (std::size_t i = 0; i < out->size(); ++i) {
      function_(out->values(i), out->present(i), out->steps());
      if (out->histograms(i) != nullptr) {
        if (histograms_) {
          RETURN_IF_ERROR(histograms_(out, i));
        } else {
          out->RemoveHistograms(i);
        }
      }
      if (names_ == NameRule::kDrop) DropName(state_, out, i);
    }
    return more;
  }

 private:
  QueryState& state_;
  OperatorPtr source_;
  RowFunction function_;
  NameRule names_;
  HistogramRowFunction histograms_;
};

class OneValueAStepOperator final : public Operator {
 public:
  explicit OneValueAStepOperator(OperatorPtr source) : source_(std::move(source)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    ASSIGN_OR_RETURN(const bool more, source_->Next(out));
    for (std::size_t i = 0; i < out->size(); ++i) {
      const HistogramPtr* histograms = out->histograms(i);
      if (histograms == nullptr) continue;
      bool met = false;
      for (std::size_t k = 0; k < out->steps(); ++k) {
        met |= histograms[k] != nullptr && out->present(i)[k] != 0;
        if (met) out->RemoveHistogram(i, k);
      }
    }
    return more;
  }

 private:
  OperatorPtr source_;
};

// Reads its source whole, puts equal labels together, and gives the rows again.
class MergingOperator final : public Operator {
 public:
  MergingOperator(QueryState& state, std::size_t steps, OperatorPtr source, EqualLabels rule)
      : state_(state), steps_(steps), source_(std::move(source)), rule_(rule) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (rows_ == nullptr) {
      ASSIGN_OR_RETURN(RowBatch rows, Materialize(*source_, state_, steps_));
      RETURN_IF_ERROR(MergeEqualLabels(&rows, state_, rule_));
      rows_ = MakeRowSource(std::move(rows), state_.context.budget());
    }
    return rows_->Next(out);
  }

 private:
  QueryState& state_;
  const std::size_t steps_;
  OperatorPtr source_;
  const EqualLabels rule_;
  OperatorPtr rows_;
};

// Gives rows that were sorted and different before their names went, in their order. Only
// __type__ and __unit__ can have told two of them apart: from the first that had one on, rows are
// read whole and put together.
class StreamingMergeOperator final : public Operator {
 public:
  StreamingMergeOperator(QueryState& state, std::size_t steps, OperatorPtr source, EqualLabels rule)
      : state_(state),
        steps_(steps),
        source_(std::move(source)),
        rule_(rule),
        charge_(state.context.budget()) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (rest_ != nullptr) return rest_->Next(out);
    ASSIGN_OR_RETURN(const bool more, source_->Next(out));
    if (!more) return false;
    if (!state_.saw_types) {
      for (std::size_t i = 0; i < out->size(); ++i) RETURN_IF_ERROR(Remember(out->labels(i)));
      return true;
    }
    RowBatch rows = std::move(*out);
    ASSIGN_OR_RETURN(RowBatch others, Materialize(*source_, state_, steps_));
    rows.Append(std::move(others));
    RETURN_IF_ERROR(MergeEqualLabels(&rows, state_, rule_));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (given_.contains(rows.labels(i))) return SameLabels();
    }
    rest_ = MakeRowSource(std::move(rows), state_.context.budget());
    return rest_->Next(out);
  }

 private:
  // Series with __type__ come before equal ones without, unless other labels come before it.
  Status Remember(const model::Labels& labels) {
    if (labels.empty() || labels[0].name > kTypeLabel) return OkStatus();
    given_.insert(labels);
    return charge_.Add(static_cast<std::int64_t>(labels.memory_bytes()), "labels without names");
  }

  QueryState& state_;
  const std::size_t steps_;
  OperatorPtr source_;
  const EqualLabels rule_;
  MemoryCharge charge_;
  std::unordered_set<model::Labels, LabelsHash> given_;
  OperatorPtr rest_;
};

// The loops over rows are made once an operator, so that the compiler can vectorise the simple
// ones.
template <typename F>
RowFunction Loop(std::vector<double> scalar, bool scalar_first, F f) {
  return [scalar = std::move(scalar), scalar_first, f](double* values, std::uint8_t* /*present*/,
                                                       std::size_t steps) {
    const double* s = scalar.data();
    if (scalar_first) {
      for (std::size_t k = 0; k < steps; ++k) values[k] = f(s[k], values[k]);
    } else {
      for (std::size_t k = 0; k < steps; ++k) values[k] = f(values[k], s[k]);
    }
  };
}

RowFunction Filter(BinaryOp op, std::vector<double> scalar, bool scalar_first) {
  return [op, scalar = std::move(scalar), scalar_first](double* values, std::uint8_t* present,
                                                        std::size_t steps) {
    for (std::size_t k = 0; k < steps; ++k) {
      const double a = scalar_first ? scalar[k] : values[k];
      const double b = scalar_first ? values[k] : scalar[k];
      present[k] = present[k] != 0 && Apply(op, a, b) != 0 ? 1 : 0;
    }
  };
}

}  // namespace

double Apply(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kDiv:
      return a / b;
    case BinaryOp::kMod:
      return std::fmod(a, b);
    case BinaryOp::kPow:
      return model::Pow(a, b);
    case BinaryOp::kAtan2:
      return model::Atan2(a, b);
    case BinaryOp::kEqual:
      return a == b ? 1 : 0;
    case BinaryOp::kNotEqual:
      return a != b ? 1 : 0;
    case BinaryOp::kGreater:
      return a > b ? 1 : 0;
    case BinaryOp::kLess:
      return a < b ? 1 : 0;
    case BinaryOp::kGreaterEqual:
      return a >= b ? 1 : 0;
    case BinaryOp::kLessEqual:
      return a <= b ? 1 : 0;
    default:
      return 0;  // set and trim operators are not of numbers
  }
}

OperatorPtr MakeElementwise(QueryState& state, std::size_t steps, OperatorPtr source,
                            RowFunction function, NameRule names, bool unique,
                            HistogramRowFunction histograms, EqualLabels rule) {
  auto rows = std::make_unique<ElementwiseOperator>(state, std::move(source), std::move(function),
                                                    names, std::move(histograms));
  if (names == NameRule::kKeep) return rows;
  return MakeMerging(state, steps, std::move(rows), unique, rule);
}

OperatorPtr MakeMerging(QueryState& state, std::size_t steps, OperatorPtr source, bool unique,
                        EqualLabels rule) {
  if (state.delays_names) return source;
  if (unique)
    return std::make_unique<StreamingMergeOperator>(state, steps, std::move(source), rule);
  return std::make_unique<MergingOperator>(state, steps, std::move(source), rule);
}

OperatorPtr MakeOneValueAStep(OperatorPtr source) {
  return std::make_unique<OneValueAStepOperator>(std::move(source));
}

RowFunction ScalarOperand(BinaryOp op, std::vector<double> scalar, bool scalar_first,
                          bool return_bool) {
  if (IsComparison(op) && !return_bool) return Filter(op, std::move(scalar), scalar_first);
  switch (op) {
    case BinaryOp::kAdd:
      return Loop(std::move(scalar), scalar_first, std::plus<double>());
    case BinaryOp::kSub:
      return Loop(std::move(scalar), scalar_first, std::minus<double>());
    case BinaryOp::kMul:
      return Loop(std::move(scalar), scalar_first, std::multiplies<double>());
    case BinaryOp::kDiv:
      return Loop(std::move(scalar), scalar_first, std::divides<double>());
    default:
      return Loop(std::move(scalar), scalar_first,
                  [op](double a, double b) { return Apply(op, a, b); });
  }
}

}  // namespace aevum::promql
