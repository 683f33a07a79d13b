// Reads fields of JSON objects as Go's encoding/json fills a struct.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "block/json_value.h"
#include "model/ulid.h"

namespace aevum::block {

// Reads a value into what a field stands for. `path` names the field in errors: "thanos.labels".
using FieldReader = std::function<Status(const JsonValue& value, const std::string& path)>;

struct Field {
  std::string_view name;
  FieldReader read;
};

// Gives each member of an object to the field of its name; letters match in either case, members
// that no field knows are passed over, and null leaves a field as it was. Corruption when the value
// is no object.
Status ReadFields(const JsonValue& value, const std::string& path,
                  std::initializer_list<Field> fields);

// Readers of single values. Corruption when the value has another type or does not fit.
FieldReader Into(std::int64_t* out);
FieldReader Into(std::uint64_t* out);
FieldReader Into(int* out);
FieldReader Into(bool* out);
FieldReader Into(std::string* out);
FieldReader Into(model::Ulid* out);

Status WrongType(const JsonValue& value, const std::string& path, std::string_view wanted);

// A list, whose elements `read` reads; an element that is null is a new T.
template <typename T>
FieldReader IntoList(std::vector<T>* out,
                     std::function<Status(const JsonValue&, const std::string&, T*)> read) {
  return [out, read = std::move(read)](const JsonValue& value, const std::string& path) -> Status {
    if (value.kind != JsonValue::Kind::kArray) return WrongType(value, path, "a list");
    out->clear();
    for (const JsonValue& element : value.elements) {
      const std::string name = fmt::format("{}[{}]", path, out->size());
      T& item = out->emplace_back();
      if (!element.IsNull()) RETURN_IF_ERROR(read(element, name, &item));
    }
    return OkStatus();
  };
}
// A list of single values.
template <typename T>
FieldReader IntoList(std::vector<T>* out) {
  return IntoList<T>(out, [](const JsonValue& value, const std::string& path, T* item) {
    return Into(item)(value, path);
  });
}

}  // namespace aevum::block
