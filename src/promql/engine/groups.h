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

}  // namespace aevum::promql
