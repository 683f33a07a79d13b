#include "sidecar/prometheus_json.h"

#include "sidecar/prometheus_answers.h"

namespace aevum::sidecar {
namespace {

std::string_view TypeName(JsonElement value) {
  switch (value.type()) {
    case simdjson::dom::element_type::ARRAY:
      return "an array";
    case simdjson::dom::element_type::OBJECT:
      return "an object";
    case simdjson::dom::element_type::STRING:
      return "a string";
    case simdjson::dom::element_type::BOOL:
      return "a boolean";
    case simdjson::dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

// False when there is no such member, or null.
bool Find(JsonElement parent, std::string_view name, JsonElement* value) {
  return parent.at_key(name).get(*value) == simdjson::SUCCESS && !value->is_null();
}

std::string Path(std::string_view path, std::string_view name) {
  return fmt::format("{}.{}", path, name);
}

}  // namespace

Status WrongType(std::string_view field, std::string_view wanted, JsonElement value) {
  return Unavailable("field {} must be {}, not {}", field, wanted, TypeName(value));
}

StatusOr<std::string_view> AsString(JsonElement value, std::string_view field) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return WrongType(field, "a string", value);
  return text;
}

StatusOr<JsonElement> Member(JsonElement parent, std::string_view name, std::string_view path) {
  JsonElement value;
  if (parent.at_key(name).get(value) != simdjson::SUCCESS)
    return Unavailable("no field {}: is this a Prometheus?", path);
  return value;
}

StatusOr<std::string_view> StringMember(JsonElement parent, std::string_view name,
                                        std::string_view path) {
  JsonElement value;
  if (!Find(parent, name, &value)) return std::string_view();
  return AsString(value, Path(path, name));
}

StatusOr<double> NumberMember(JsonElement parent, std::string_view name, std::string_view path) {
  JsonElement value;
  double number = 0;
  if (!Find(parent, name, &value)) return number;
  if (value.get(number) != simdjson::SUCCESS) return WrongType(Path(path, name), "a number", value);
  return number;
}

StatusOr<std::vector<JsonElement>> ArrayMember(JsonElement parent, std::string_view name,
                                               std::string_view path) {
  JsonElement value;
  if (!Find(parent, name, &value)) return std::vector<JsonElement>();
  simdjson::dom::array items;
  if (value.get(items) != simdjson::SUCCESS) return WrongType(Path(path, name), "an array", value);
  return std::vector<JsonElement>(items.begin(), items.end());
}

Status Envelope::Parse(std::string_view json) {
  const auto error = parser.parse(json.data(), json.size()).get(root);
  if (error != simdjson::SUCCESS) {
    return Unavailable("answer of {} bytes is not JSON: {}: is this a Prometheus?", json.size(),
                       simdjson::error_message(error));
  }
  if (!root.is_object()) {
    return Unavailable("answer must be an object, not {}: is this a Prometheus?", TypeName(root));
  }
  ASSIGN_OR_RETURN(const JsonElement status_field, Member(root, "status", "status"));
  ASSIGN_OR_RETURN(const std::string_view status, AsString(status_field, "status"));
  if (status != "success") return Unavailable("answered with an error: {}", ParseErrorText(json));
  ASSIGN_OR_RETURN(data, Member(root, "data", "data"));
  return OkStatus();
}

StatusOr<std::vector<std::string>> Strings(JsonElement value, std::string_view field) {
  simdjson::dom::array items;
  if (value.get(items) != simdjson::SUCCESS) return WrongType(field, "an array", value);
  std::vector<std::string> strings;
  strings.reserve(items.size());
  for (const JsonElement item : items) {
    ASSIGN_OR_RETURN(const std::string_view text, AsString(item, field));
    strings.emplace_back(text);
  }
  return strings;
}

StatusOr<std::vector<std::string>> Warnings(const Envelope& envelope) {
  JsonElement warnings;
  if (!Find(envelope.root, "warnings", &warnings)) return std::vector<std::string>();
  return Strings(warnings, "warnings");
}

StatusOr<model::Labels> LabelsOf(JsonElement value, std::string_view field) {
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return WrongType(field, "an object", value);
  std::vector<model::Label> labels;
  labels.reserve(object.size());
  for (const auto member : object) {
    ASSIGN_OR_RETURN(const std::string_view text, AsString(member.value, member.key));
    labels.push_back({member.key, text});
  }
  return model::Labels::FromUnsorted(std::move(labels));
}

}  // namespace aevum::sidecar
