#include "promql/engine/shared_rows.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace aevum::promql {
namespace {

class BroadcastOperator final : public Operator {
 public:
  BroadcastOperator(QueryState& state, std::size_t steps, OperatorPtr source)
      : state_(state), steps_(steps), source_(std::move(source)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    out->Reset(steps_, state_.context.budget());
    while (out->size() < RowBatch::RowsPerBatch(steps_)) {
      if (next_ == batch_.size()) {
        ASSIGN_OR_RETURN(const bool more, source_->Next(&batch_));
        next_ = 0;
        if (!more) break;
        continue;
      }
      RETURN_IF_ERROR(AddRow(next_++, out));
    }
    return !out->empty();
  }

 private:
  Status AddRow(std::size_t row, RowBatch* out) {
    if (!batch_.Holds(row, 0)) return OkStatus();
    RETURN_IF_ERROR(out->Add(batch_.labels(row), "value of every step"));
    const std::size_t added = out->size() - 1;
    out->set_drops_name(added, batch_.drops_name(row));
    std::fill_n(out->values(added), steps_, batch_.values(row)[0]);
    std::fill_n(out->present(added), steps_, batch_.present(row)[0]);
    if (batch_.histograms(row) == nullptr) return OkStatus();
    const HistogramPtr& histogram = batch_.histograms(row)[0];
    for (std::size_t k = 0; histogram != nullptr && k < steps_; ++k)
      RETURN_IF_ERROR(out->SetHistogram(added, k, histogram, "value of every step"));
    return OkStatus();
  }

  QueryState& state_;
  const std::size_t steps_;
  const OperatorPtr source_;
  RowBatch batch_;
  std::size_t next_ = 0;
};

}  // namespace

OperatorPtr MakeBroadcast(QueryState& state, std::size_t steps, OperatorPtr source) {
  return std::make_unique<BroadcastOperator>(state, steps, std::move(source));
}

struct SharedParts::Rows {
  QueryState& state;
  std::size_t steps;
  OperatorPtr source;
  std::optional<RowBatch> rows;

  Status Read() {
    if (rows) return OkStatus();
    ASSIGN_OR_RETURN(rows, Materialize(*source, state, steps));
    source.reset();
    return OkStatus();
  }
};

class SharedParts::Reader final : public Operator {
 public:
  explicit Reader(std::shared_ptr<Rows> rows) : rows_(std::move(rows)) {}

  StatusOr<bool> Next(RowBatch* out) override {
    RETURN_IF_ERROR(rows_->Read());
    const RowBatch& rows = *rows_->rows;
    out->Reset(rows_->steps, rows_->state.context.budget());
    const std::size_t end = std::min(rows.size(), next_ + RowBatch::RowsPerBatch(rows_->steps));
    for (; next_ < end; ++next_)
      RETURN_IF_ERROR(out->AddCopy(rows, next_, "part that comes more than once"));
    return !out->empty();
  }

 private:
  const std::shared_ptr<Rows> rows_;
  std::size_t next_ = 0;
};

std::shared_ptr<SharedParts::Rows> SharedParts::MakeRows(QueryState& state, std::size_t steps,
                                                         OperatorPtr source) {
  return std::make_shared<Rows>(
      Rows{.state = state, .steps = steps, .source = std::move(source), .rows = {}});
}

OperatorPtr SharedParts::MakeReader(std::shared_ptr<Rows> rows) {
  return std::make_unique<Reader>(std::move(rows));
}

}  // namespace aevum::promql
