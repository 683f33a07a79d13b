#include "sidecar/label_rewriting.h"

#include <algorithm>

namespace aevum::sidecar {

LabelRewriting::LabelRewriting(model::Labels external, std::vector<std::string> removed)
    : external_(std::move(external)), removed_(std::move(removed)) {
  model::LabelsBuilder builder(external_);
  for (const std::string& name : removed_) builder.Remove(name);
  added_ = builder.Build();
}

model::Labels LabelRewriting::Apply(const model::Labels& arrived) const {
  model::LabelsBuilder builder(arrived);
  for (const model::Label label : added_) builder.Set(label.name, label.value);
  for (const std::string& name : removed_) builder.Remove(name);
  return builder.Build();
}

bool LabelRewriting::removes(std::string_view name) const {
  return std::find(removed_.begin(), removed_.end(), name) != removed_.end();
}

}  // namespace aevum::sidecar
