// The JSON of Prometheus's HTTP API: its envelope, and fields that are checked as they are read.
//
// All errors are Unavailable and name the field: whatever answered is no Prometheus, or a broken
// one. Only for those who read answers; needs simdjson.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/status.h"
#include "model/labels.h"

namespace aevum::sidecar {

using JsonElement = simdjson::dom::element;

// The envelope of an answer. Its elements live as long as the parser within.
struct Envelope {
  simdjson::dom::parser parser;
  JsonElement root;
  JsonElement data;

  // An answer that says "error" is an error with Prometheus's text.
  Status Parse(std::string_view json);
  // Null data stands for an empty list: Go writes an empty slice so.
  bool DataIsNull() const { return data.is_null(); }
};

// "field F must be a string, not null".
Status WrongType(std::string_view field, std::string_view wanted, JsonElement value);

StatusOr<std::string_view> AsString(JsonElement value, std::string_view field);
// A member of an object, or an error that names it by its path.
StatusOr<JsonElement> Member(JsonElement parent, std::string_view name, std::string_view path);

// Members that may be absent or null: then "" or 0. `path` names the parent in errors.
StatusOr<std::string_view> StringMember(JsonElement parent, std::string_view name,
                                        std::string_view path);
StatusOr<double> NumberMember(JsonElement parent, std::string_view name, std::string_view path);
// Elements of an array; none when it is absent or null.
StatusOr<std::vector<JsonElement>> ArrayMember(JsonElement parent, std::string_view name,
                                               std::string_view path);

StatusOr<std::vector<std::string>> Strings(JsonElement value, std::string_view field);
StatusOr<std::vector<std::string>> Warnings(const Envelope& envelope);
// An object of strings; labels with empty values are dropped.
StatusOr<model::Labels> LabelsOf(JsonElement value, std::string_view field);

}  // namespace aevum::sidecar
