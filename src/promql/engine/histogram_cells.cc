#include "promql/engine/histogram_cells.h"

#include <memory>

#include "promql/engine/histogram_notes.h"

namespace aevum::promql {

HistogramCells::HistogramCells(QueryState& state, std::size_t steps, const AggregateExpr& expr)
    : state_(state),
      steps_(steps),
      argument_(WithoutParens(*expr.expr)),
      fold_(expr.op == AggregateOp::kAvg ? HistogramFold::kMean : HistogramFold::kSum),
      charge_(state.context.budget()) {}

Status HistogramCells::Add(std::size_t group, std::size_t step,
                           const model::FloatHistogram& histogram, bool numbers,
                           std::string_view name) {
  const auto [it, inserted] = cells_.try_emplace(group * steps_ + step);
  Cell& cell = it->second;
  if (cell.sum.incompatible()) return OkStatus();
  if (inserted) {
    // The sum and its compensation.
    RETURN_IF_ERROR(
        charge_.Add(static_cast<std::int64_t>(sizeof(Cell)) + 2 * model::SizeBytes(histogram),
                    "histograms of an aggregation"));
    cell.numbers_first = numbers;
  }
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
  return std::make_shared<const model::FloatHistogram>(std::move(result));
}

Status HistogramCells::Finish(std::size_t group, RowBatch* out) {
  const std::size_t row = out->size() - 1;
  for (auto it = cells_.lower_bound(group * steps_);
       it != cells_.end() && it->first < (group + 1) * steps_; ++it) {
    const std::size_t step = it->first - group * steps_;
    HistogramPtr result = Result(&it->second, out->present(row)[step] != 0);
    out->present(row)[step] = 0;
    out->values(row)[step] = 0;
    if (result != nullptr)
      RETURN_IF_ERROR(out->SetHistogram(row, step, std::move(result), "aggregation"));
  }
  return OkStatus();
}

}  // namespace aevum::promql
