// Label sets in protobuf messages: `repeated Label { name = 1, value = 2 }`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"

namespace aevum::wire {

// Collects the Label messages of one set and makes Labels of them. Reuses its memory from set to
// set. Borrows the bytes until Take. Thread-compatible.
class LabelCollector {
 public:
  // Adds one Label message. Corruption when it is none.
  Status Add(std::string_view label_message);
  // The labels collected so far; sets that are not sorted are sorted, empty values dropped. Starts
  // anew.
  model::Labels Take();

 private:
  std::vector<model::Label> labels_;
  bool sorted_ = true;
};

// Bytes that PutLabels writes.
std::size_t LabelsSize(const model::Labels& labels);
// Appends a Label message a label, each as field 1.
void PutLabels(std::string& out, const model::Labels& labels);

// A message ZLabelSet or LabelSet, whose field 1 are the labels: read, and written as a field, also
// when it is empty. Corruption when the bytes are none.
StatusOr<model::Labels> ReadLabelSet(std::string_view bytes);
void PutLabelSet(std::string& out, std::uint32_t field, const model::Labels& labels);

}  // namespace aevum::wire
