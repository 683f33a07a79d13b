#include "wire/store_hints.h"

#include <fmt/format.h>

#include "encoding/proto_wire.h"
#include "wire/request_fields.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;

constexpr std::string_view kTypePrefix = "type.googleapis.com/";

std::string TypeOf(HintsOf request, std::string_view kind) {
  constexpr std::string_view kNames[] = {"Series", "LabelNames", "LabelValues"};
  return fmt::format("hintspb.{}{}Hints", kNames[static_cast<std::size_t>(request)], kind);
}

// google.protobuf.Any { type_url = 1, value = 2 }
std::string AnyOf(const std::string& type, std::string_view value) {
  std::string any;
  PutBytesField(any, 1, std::string(kTypePrefix) + type);
  PutBytesField(any, 2, value);
  return any;
}

}  // namespace

StatusOr<model::Matchers> DecodeBlockMatchers(HintsOf request, std::string_view any) {
  model::Matchers matchers;
  if (any.empty()) return matchers;
  std::string_view type;
  std::string_view value;
  ProtoReader outer(any);
  while (outer.Next()) {
    switch (outer.field()) {
      case 1:
        type = outer.Bytes();
        break;
      case 2:
        value = outer.Bytes();
        break;
      default:
        outer.Skip();
    }
  }
  RETURN_IF_ERROR(NotTheMessage(outer.status(), "hints"));
  const std::string wanted = TypeOf(request, "Request");
  if (type.substr(type.rfind('/') + 1) != wanted)
    return InvalidArgument("hints of type \"{}\" where {} belong", type, wanted);
  ProtoReader reader(value);
  while (reader.Next()) {
    if (reader.field() == 1) {
      RETURN_IF_ERROR(ReadMatcher(reader.Bytes(), &matchers));
    } else {
      reader.Skip();
    }
  }
  RETURN_IF_ERROR(NotTheMessage(reader.status(), wanted));
  return matchers;
}

std::string EncodeBlockMatchers(HintsOf request, const model::Matchers& matchers) {
  if (matchers.empty()) return {};
  std::string value;
  PutMatchers(value, 1, matchers);
  return AnyOf(TypeOf(request, "Request"), value);
}

std::string EncodeQueriedBlocks(HintsOf request, std::span<const std::string> blocks) {
  std::string value;
  for (const std::string& id : blocks) {
    std::string block;
    PutText(block, 1, id);
    PutBytesField(value, 1, block);
  }
  return AnyOf(TypeOf(request, "Response"), value);
}

}  // namespace aevum::wire
