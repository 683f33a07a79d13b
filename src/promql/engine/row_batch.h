// Rows of an expression's value: for each series one value a step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "model/labels.h"

namespace aevum::promql {

// Some series with a row of all steps each:
//
//     labels[i] | values[i * steps .. (i + 1) * steps) | present[...], 1 where there is a value
//
// The value of a step that is not present is 0. Memory: 9 bytes a step and series, charged to the
// budget before it is taken. Thread-compatible.
class RowBatch {
 public:
  // A batch without steps; Reset before use.
  RowBatch() = default;

  // Empties the batch, for rows of `steps` steps charged to `budget` (may be null). Keeps memory.
  void Reset(std::size_t steps, const std::shared_ptr<MemoryBudget>& budget);

  // Adds a row without values. ResourceExhausted, naming `who`, when the budget is used up.
  Status Add(model::Labels labels, std::string_view who);
  // Takes the last row away again.
  void RemoveLast();

  std::size_t size() const { return labels_.size(); }
  bool empty() const { return labels_.empty(); }
  std::size_t steps() const { return steps_; }

  const model::Labels& labels(std::size_t row) const { return labels_[row]; }
  void set_labels(std::size_t row, model::Labels labels) { labels_[row] = std::move(labels); }
  double* values(std::size_t row) { return values_.data() + row * steps_; }
  const double* values(std::size_t row) const { return values_.data() + row * steps_; }
  std::uint8_t* present(std::size_t row) { return present_.data() + row * steps_; }
  const std::uint8_t* present(std::size_t row) const { return present_.data() + row * steps_; }
  // True when a step of the row has a value.
  bool AnyPresent(std::size_t row) const;

  // How many rows a batch should have: few when the rows are long.
  static std::size_t RowsPerBatch(std::size_t steps);

 private:
  std::size_t steps_ = 0;
  std::vector<model::Labels> labels_;
  std::vector<double> values_;
  std::vector<std::uint8_t> present_;
  std::shared_ptr<MemoryBudget> budget_;
  MemoryCharge charge_;
  std::size_t charged_rows_ = 0;
};

}  // namespace aevum::promql
