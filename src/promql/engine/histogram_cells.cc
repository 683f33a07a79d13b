#include "promql/engine/histogram_cells.h"

#include <memory>

#include "promql/engine/histogram_notes.h"

namespace aevum::promql {
namespace {

constexpr std::string_view kWho = "histograms of an aggregation";

}  // namespace

HistogramCells::HistogramCells(QueryState& state, std::size_t steps, const AggregateExpr& expr)
    : state_(state),
      steps_(steps),
      argument_(WithoutParens(*expr.expr)),
      fold_(expr.op == AggregateOp::kAvg ? HistogramFold::kMean : HistogramFold::kSum),
      charge_(state.context.budget()) {}

StatusOr<HistogramCells::Cell*> HistogramCells::At(std::size_t group, std::size_t step) {
  if (group >= cells_.size()) cells_.resize(group + 1);
  std::vector<std::unique_ptr<Cell>>& steps = cells_[group];
  if (steps.empty()) {
    RETURN_IF_ERROR(charge_.Add(static_cast<std::int64_t>(steps_ * sizeof(steps[0])), kWho));
    steps.resize(steps_);
  }
  return steps[step].get();
}

Status HistogramCells::Add(std::size_t group, std::size_t step,
                           const model::FloatHistogram& histogram, bool numbers,
                           std::string_view name) {
  ASSIGN_OR_RETURN(Cell * known, At(group, step));
  if (known == nullptr) {
    // The sum and its compensation.
    RETURN_IF_ERROR(charge_.Add(
        static_cast<std::int64_t>(sizeof(Cell)) + 2 * model::SizeBytes(histogram), kWho));
    cells_[group][step] = std::make_unique<Cell>();
    known = cells_[group][step].get();
    known->numbers_first = numbers;
  }
  Cell& cell = *known;
  if (cell.sum.incompatible()) return OkStatus();
  // With numbers there will be no result.
  if (cell.numbers_first) return OkStatus();
  if (!cell.sum.Add(histogram, fold_)) {
    HistogramNotes(state_.annotations, argument_, name).MixedExponentialCustom();
    cell.numbers_first = numbers;
  }
  return OkStatus();
}

HistogramPtr HistogramCells::Result(Cell* cell, bool numbers) {
  const HistogramNotes notes(state_.annotations, argument_);
  if (cell->sum.bounds_reconciled()) notes.BoundsReconciled(kForAggregation);
  if (cell->sum.incompatible() ? cell->numbers_first : numbers) {
    notes.MixedInAggregation();
    return nullptr;
  }
  if (cell->sum.incompatible()) return nullptr;
  model::FloatHistogram result = cell->sum.Finish(fold_);
  model::Compact(&result);
  if (cell->sum.reset_collision()) notes.ResetCollision(kForAggregation);
  return std::make_shared<model::FloatHistogram>(std::move(result));
}

Status HistogramCells::Finish(std::size_t group, RowBatch* out) {
  const std::size_t row = out->size() - 1;
  if (group >= cells_.size()) return OkStatus();
  for (std::size_t step = 0; step < cells_[group].size(); ++step) {
    const std::unique_ptr<Cell> cell = std::move(cells_[group][step]);
    if (cell == nullptr) continue;
    HistogramPtr result = Result(cell.get(), out->present(row)[step] != 0);
    out->present(row)[step] = 0;
    out->values(row)[step] = 0;
    if (result != nullptr)
      RETURN_IF_ERROR(out->SetHistogram(row, step, std::move(result), "aggregation"));
  }
  return OkStatus();
}

}  // namespace aevum::promql
