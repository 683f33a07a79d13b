// Series to groups: numbers for the label sets of a grouping, in the order of their first series.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/labels.h"
#include "promql/engine/aggregation.h"
#include "promql/engine/evaluation.h"

namespace aevum::promql {

struct LabelsHash {
  std::size_t operator()(const model::Labels& labels) const { return labels.Hash(); }
};
template <typename T>
using LabelsMap = std::unordered_map<model::Labels, T, LabelsHash>;

// Thread-compatible.
class Groups {
 public:
  // Groups are charged to the budget of the query in the name of `who`, which must be a constant.
  Groups(Grouping grouping, const QueryState& state, std::string_view who)
      : grouping_(std::move(grouping)), who_(who), charge_(state.context.budget()) {}

  // The number of the group of a series; a new one for a new group.
  StatusOr<std::size_t> Find(const model::Labels& labels);
  std::size_t size() const { return labels_.size(); }
  const model::Labels& labels(std::size_t group) const { return labels_[group]; }

 private:
  const Grouping grouping_;
  const std::string_view who_;
  MemoryCharge charge_;
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

// A row of `steps` states for each group, in slabs: adding groups moves none.
template <typename T>
class GroupRows {
 public:
  explicit GroupRows(std::size_t steps)
      : steps_(steps),
        groups_per_slab_(std::max<std::size_t>(1, kFewStates / std::max<std::size_t>(steps, 1))) {}

  void Add() {
    if (size_++ % groups_per_slab_ == 0)
      slabs_.push_back(std::make_unique<T[]>(groups_per_slab_ * steps_));
  }
  T* row(std::size_t group) {
    return slabs_[group / groups_per_slab_].get() + group % groups_per_slab_ * steps_;
  }
  const T* row(std::size_t group) const {
    return slabs_[group / groups_per_slab_].get() + group % groups_per_slab_ * steps_;
  }

 private:
  static constexpr std::size_t kFewStates = 128;

  const std::size_t steps_;
  const std::size_t groups_per_slab_;
  std::size_t size_ = 0;
  std::vector<std::unique_ptr<T[]>> slabs_;
};

}  // namespace aevum::promql
