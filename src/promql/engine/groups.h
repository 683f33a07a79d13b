// Series to groups: numbers for the label sets of a grouping, in the order of their first series.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "model/labels.h"
#include "promql/engine/aggregation.h"

namespace aevum::promql {

struct LabelsHash {
  std::size_t operator()(const model::Labels& labels) const { return labels.Hash(); }
};
template <typename T>
using LabelsMap = std::unordered_map<model::Labels, T, LabelsHash>;

// Thread-compatible.
class Groups {
 public:
  explicit Groups(Grouping grouping) : grouping_(std::move(grouping)) {}

  // The number of the group of a series; a new one for a new group.
  std::size_t Find(const model::Labels& labels);
  std::size_t size() const { return labels_.size(); }
  const model::Labels& labels(std::size_t group) const { return labels_[group]; }

 private:
  const Grouping grouping_;
  LabelsMap<std::size_t> index_;
  std::vector<model::Labels> labels_;
};

// Whether groups drop their names at the end of the query: as in the reference, when one of the
// series with a value at the last step that has any is to. Thread-compatible.
class GroupMarks {
 public:
  explicit GroupMarks(const QueryState& state) : delays_names_(state.delays_names) {}

  // Adds a row of a group. Histograms count where they are not ignored.
  void Add(std::size_t group, const RowBatch& rows, std::size_t row, bool histograms) {
    if (!delays_names_) return;
    std::size_t end = rows.steps();
    while (end > 0 && !(histograms ? rows.Holds(row, end - 1) : rows.present(row)[end - 1] != 0))
      --end;
    if (end == 0) return;
    if (marks_.size() <= group) marks_.resize(group + 1);
    Mark& mark = marks_[group];
    if (end > mark.end) mark = {end, false};
    if (end == mark.end) mark.drops_name |= rows.drops_name(row);
  }
  bool drops_name(std::size_t group) const {
    return group < marks_.size() && marks_[group].drops_name;
  }

 private:
  struct Mark {
    std::size_t end = 0;  // after the last step with a value
    bool drops_name = false;
  };
  const bool delays_names_;
  std::vector<Mark> marks_;
};

}  // namespace aevum::promql
