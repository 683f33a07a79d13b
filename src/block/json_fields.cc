#include "block/json_fields.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace aevum::block {
namespace {

template <typename Int>
Status ReadInteger(const JsonValue& value, const std::string& path, Int* out) {
  if (value.kind != JsonValue::Kind::kNumber) return WrongType(value, path, "a number");
  const char* end = value.text.data() + value.text.size();
  Int number = 0;
  const auto result = std::from_chars(value.text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) {
    return Corruption("{}: no whole number of {} bits{}: {}", path, sizeof(Int) * 8,
                      std::numeric_limits<Int>::is_signed ? "" : " without sign", value.text);
  }
  *out = number;
  return OkStatus();
}

}  // namespace

Status WrongType(const JsonValue& value, const std::string& path, std::string_view wanted) {
  return Corruption("{}: {} is wanted, {} is there", path.empty() ? "the whole" : path, wanted,
                    value.KindName());
}

Status ReadFields(const JsonValue& value, const std::string& path,
                  std::initializer_list<Field> fields) {
  if (value.kind != JsonValue::Kind::kObject) return WrongType(value, path, "an object");
  for (const auto& [name, member] : value.members) {
    const auto* field = std::find_if(fields.begin(), fields.end(), [&](const Field& candidate) {
      return EqualFieldNames(candidate.name, name);
    });
    if (field == fields.end() || member.IsNull()) continue;
    RETURN_IF_ERROR(field->read(
        member, path.empty() ? std::string(field->name) : fmt::format("{}.{}", path, field->name)));
  }
  return OkStatus();
}

FieldReader Into(std::int64_t* out) {
  return [out](const JsonValue& value, const std::string& path) {
    return ReadInteger(value, path, out);
  };
}

FieldReader Into(std::uint64_t* out) {
  return [out](const JsonValue& value, const std::string& path) {
    return ReadInteger(value, path, out);
  };
}

FieldReader Into(int* out) {
  return [out](const JsonValue& value, const std::string& path) {
    return ReadInteger(value, path, out);
  };
}

FieldReader Into(bool* out) {
  return [out](const JsonValue& value, const std::string& path) -> Status {
    if (value.kind != JsonValue::Kind::kTrue && value.kind != JsonValue::Kind::kFalse)
      return WrongType(value, path, "a truth value");
    *out = value.kind == JsonValue::Kind::kTrue;
    return OkStatus();
  };
}

FieldReader Into(std::string* out) {
  return [out](const JsonValue& value, const std::string& path) -> Status {
    if (value.kind != JsonValue::Kind::kString) return WrongType(value, path, "a string");
    *out = value.text;
    return OkStatus();
  };
}

FieldReader Into(model::Ulid* out) {
  return [out](const JsonValue& value, const std::string& path) -> Status {
    if (value.kind != JsonValue::Kind::kString) return WrongType(value, path, "a string");
    StatusOr<model::Ulid> ulid = model::Ulid::Parse(value.text);
    if (!ulid.ok()) return Corruption("{}: {}", path, ulid.status().message());
    *out = *ulid;
    return OkStatus();
  };
}

}  // namespace aevum::block
