#include "wire/label_codec.h"

#include "encoding/proto_wire.h"

namespace aevum::wire {

using encoding::BytesFieldSize;
using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutUvarint;

Status LabelCollector::Add(std::string_view label_message) {
  ProtoReader reader(label_message);
  model::Label label;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        label.name = reader.Bytes();
        break;
      case 2:
        label.value = reader.Bytes();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  sorted_ =
      sorted_ && !label.value.empty() && (labels_.empty() || labels_.back().name < label.name);
  labels_.push_back(label);
  return OkStatus();
}

model::Labels LabelCollector::Take() {
  model::Labels labels =
      sorted_ ? model::Labels::FromSorted(labels_) : model::Labels::FromUnsorted(labels_);
  labels_.clear();
  sorted_ = true;
  return labels;
}

namespace {

std::size_t LabelSize(const model::Label& label) {
  return BytesFieldSize(label.name.size()) + BytesFieldSize(label.value.size());
}

}  // namespace

std::size_t LabelsSize(const model::Labels& labels) {
  std::size_t size = 0;
  for (const model::Label label : labels) size += BytesFieldSize(LabelSize(label));
  return size;
}

void PutLabels(std::string& out, const model::Labels& labels) {
  for (const model::Label label : labels) {
    encoding::PutTag(out, 1, encoding::WireType::kBytes);
    PutUvarint(out, LabelSize(label));
    PutBytesField(out, 1, label.name);
    PutBytesField(out, 2, label.value);
  }
}

StatusOr<model::Labels> ReadLabelSet(std::string_view bytes) {
  ProtoReader reader(bytes);
  LabelCollector collector;
  while (reader.Next()) {
    if (reader.field() == 1) {
      RETURN_IF_ERROR(collector.Add(reader.Bytes()));
    } else {
      reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return collector.Take();
}

void PutLabelSet(std::string& out, std::uint32_t field, const model::Labels& labels) {
  encoding::PutTag(out, field, encoding::WireType::kBytes);
  PutUvarint(out, LabelsSize(labels));
  PutLabels(out, labels);
}

}  // namespace aevum::wire
