// From the labels of a series in Prometheus to those that the store answers with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/labels.h"

namespace aevum::sidecar {

// Adds the external labels, which win, then takes away the replica labels that the request names.
// Immutable, hence safe to share between threads.
class LabelRewriting {
 public:
  LabelRewriting(model::Labels external, std::vector<std::string> removed);

  model::Labels Apply(const model::Labels& arrived) const;
  bool removes(std::string_view name) const;

  // All external labels: Prometheus adds them itself to what it sends.
  const model::Labels& external() const { return external_; }
  // Those of them that stay.
  const model::Labels& added() const { return added_; }
  const std::vector<std::string>& removed() const { return removed_; }

 private:
  model::Labels external_;
  std::vector<std::string> removed_;
  model::Labels added_;
};

}  // namespace aevum::sidecar
