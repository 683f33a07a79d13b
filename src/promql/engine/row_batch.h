// Rows of an expression's value: for each series one value a step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "model/histogram.h"
#include "model/labels.h"

namespace aevum::promql {

// A native histogram that several rows and steps may share.
using HistogramPtr = std::shared_ptr<const model::FloatHistogram>;

// Some series with a row of all steps each: its labels, `steps` values, and `steps` bytes that are
// 1 where there is a value. The value of a step that is not present is 0.
//
// A row that holds native histograms has a lane of them beside: null, or the histogram of a step,
// at which `present` is 0. So what looks at numbers only passes over histograms. Rows without
// histograms have no lane. Only where equal series were put together whole may a step have both.
//
// A row may be marked to drop its name, which it keeps until the end of the query.
//
// Rows lie in slabs of several, which move from batch to batch without being copied. Memory: 9
// bytes a step and series and the labels, charged to the budget before it is taken.
// Thread-compatible.
class RowBatch {
 public:
  // A batch without steps; Reset before use.
  RowBatch() = default;

  // Empties the batch, for rows of `steps` steps charged to `budget` (may be null). Keeps memory.
  // Of `most_rows`, if there will be so few, no room for more is taken at once.
  void Reset(std::size_t steps, const std::shared_ptr<MemoryBudget>& budget,
             std::size_t most_rows = SIZE_MAX);

  // Adds a row without values. ResourceExhausted, naming `who`, when the budget is used up.
  Status Add(model::Labels labels, std::string_view who);
  // Adds a copy of a row of a batch with as many steps.
  Status AddCopy(const RowBatch& source, std::size_t row, std::string_view who);
  // Takes the last row away again.
  void RemoveLast() {
    label_bytes_ -= static_cast<std::int64_t>(rows_.back().labels.memory_bytes());
    rows_.pop_back();
    --used_;
  }
  // Moves the rows of a batch with as many steps behind those of this one.
  void Append(RowBatch&& source);
  // Leaves the rows `order`, in this order.
  void Select(const std::vector<std::size_t>& order);

  std::size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  std::size_t steps() const { return steps_; }

  const model::Labels& labels(std::size_t row) const { return rows_[row].labels; }
  // For labels that take no more memory than those before.
  void set_labels(std::size_t row, model::Labels labels) { rows_[row].labels = std::move(labels); }
  bool drops_name(std::size_t row) const { return rows_[row].drops_name; }
  void set_drops_name(std::size_t row, bool drops) { rows_[row].drops_name = drops; }
  // For any others. ResourceExhausted as Add.
  Status ReplaceLabels(std::size_t row, model::Labels labels, std::string_view who);
  double* values(std::size_t row) { return rows_[row].values; }
  const double* values(std::size_t row) const { return rows_[row].values; }
  std::uint8_t* present(std::size_t row) { return rows_[row].present; }
  const std::uint8_t* present(std::size_t row) const { return rows_[row].present; }
  // The histograms of all steps; null when the row has none.
  const HistogramPtr* histograms(std::size_t row) const {
    return rows_[row].lane == nullptr ? nullptr : rows_[row].lane->values.data();
  }
  // Puts a histogram at a step that has none. ResourceExhausted as Add.
  Status SetHistogram(std::size_t row, std::size_t step, HistogramPtr histogram,
                      std::string_view who);
  // Takes a histogram away; the row must have some.
  void RemoveHistogram(std::size_t row, std::size_t step) {
    rows_[row].lane->values[step] = nullptr;
  }
  void RemoveHistograms(std::size_t row) { rows_[row].lane = nullptr; }

  // True when the step has a number or a histogram.
  bool Holds(std::size_t row, std::size_t step) const {
    return present(row)[step] != 0 ||
           (rows_[row].lane != nullptr && rows_[row].lane->values[step] != nullptr);
  }
  // True when a step of the row holds something.
  bool AnyPresent(std::size_t row) const;

  // How many rows a batch should have: few when the rows are long.
  static std::size_t RowsPerBatch(std::size_t steps);

 private:
  struct Lane {
    std::vector<HistogramPtr> values;
    MemoryCharge charge;
  };
  struct Row {
    model::Labels labels;
    double* values;
    std::uint8_t* present;
    std::unique_ptr<Lane> lane;
    bool drops_name;
  };
  // The values of all its rows, then their presence.
  struct Slab {
    std::unique_ptr<double[]> memory;
    std::size_t rows;
    MemoryCharge charge;
  };

  Status NextSlab(std::string_view who);
  Status ChargeLabels(const model::Labels& labels, std::string_view who);

  std::size_t steps_ = 0;
  std::size_t most_rows_ = SIZE_MAX;
  std::shared_ptr<MemoryBudget> budget_;
  std::vector<Row> rows_;
  std::vector<Slab> slabs_;
  std::size_t slab_ = 0;  // that the next row goes to; slabs_.size() when there is none
  std::size_t used_ = 0;  // rows of it
  std::int64_t label_bytes_ = 0;
  MemoryCharge label_charge_;  // at least so many
};

}  // namespace aevum::promql
