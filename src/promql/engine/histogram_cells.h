// Sums and means of native histograms for each group and step of an aggregation.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/histogram_sum.h"

namespace aevum::promql {

// Holds a sum where there are histograms; a group without any takes no memory. Thread-compatible.
class HistogramCells {
 public:
  HistogramCells(QueryState& state, std::size_t steps, const AggregateExpr& expr);

  // Adds a histogram of the metric `name`. `numbers` says that the group has numbers at the step
  // already: then the histogram is only noted.
  Status Add(std::size_t group, std::size_t step, const model::FloatHistogram& histogram,
             bool numbers, std::string_view name);

  // Puts the histograms of a group into the last row of `out`, which holds its numbers. Where there
  // are both, or histograms that don't go together, the step is left without a value.
  Status Finish(std::size_t group, RowBatch* out);

 private:
  struct Cell {
    HistogramSum sum;
    // There were numbers before anything else was wrong.
    bool numbers_first = false;
  };

  StatusOr<Cell*> At(std::size_t group, std::size_t step);
  HistogramPtr Result(Cell* cell, bool numbers);

  QueryState& state_;
  const std::size_t steps_;
  const Expr& argument_;
  const HistogramFold fold_;
  std::vector<std::vector<std::unique_ptr<Cell>>> cells_;  // by group and step; may end early
  MemoryCharge charge_;
};

}  // namespace aevum::promql
