// JSON as Go's encoding/json reads and writes it, which the files of a block follow to the byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace aevum::block {

// A parsed value. Members keep their order and may repeat, numbers their text, so that who reads a
// field decides what it may hold. Strings are well-formed UTF-8: what is not, or half of a
// surrogate pair, has become U+FFFD.
//
// Memory is bounded: at most kMaxValues values of at most kMaxDepth levels.
struct JsonValue {
  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, JsonValue>;

  static constexpr std::size_t kMaxValues = 1'000'000;
  static constexpr std::size_t kMaxDepth = 100;

  Kind kind = Kind::kNull;
  std::string text;  // of a string; of a number as it stood
  std::vector<JsonValue> elements;
  std::vector<Member> members;

  bool IsNull() const { return kind == Kind::kNull; }
  // "a string", "an object"...: what an error says of it.
  std::string_view KindName() const;
  // The last member of that name, null when there is none.
  const JsonValue* Find(std::string_view name) const;

  // The first value of a text; what follows is not looked at. Corruption names the offset.
  static StatusOr<JsonValue> ParseFirst(std::string_view text);
  // The only value: nothing but white space may follow it.
  static StatusOr<JsonValue> ParseWhole(std::string_view text);

  friend bool operator==(const JsonValue&, const JsonValue&) = default;
};

// As a Go program has a value that it decoded without knowing its type: members sorted, the last of
// a name kept, numbers as a double's shortest digits. Corruption for a number beyond a double.
StatusOr<JsonValue> Normalized(JsonValue value);

// True when two names of fields are equal but for the case of ASCII letters.
bool EqualFieldNames(std::string_view a, std::string_view b);

// Writes one value, with the escapes of Go's encoder (`<`, `>`, `&`, U+2028, U+2029 and control
// characters). The caller keeps the order right: a key before each value of an object, and an end
// for each begin.
class JsonWriter {
 public:
  enum class Form : std::uint8_t {
    kCompact,
    kTabs,  // one line a value, a tab a level
  };

  explicit JsonWriter(Form form) : form_(form) {}

  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }
  void Key(std::string_view name);
  void String(std::string_view text);
  void Number(std::int64_t number) { Literal(fmt::format("{}", number)); }
  void Number(std::uint64_t number) { Literal(fmt::format("{}", number)); }
  void Bool(bool value) { Literal(value ? "true" : "false"); }
  void Value(const JsonValue& value);

  std::string Take() && { return std::move(out_); }

 private:
  void Begin(char bracket);
  void End(char bracket);
  void Literal(std::string_view text);
  void BeforeValue();
  void BreakLine();

  const Form form_;
  std::string out_;
  std::size_t depth_ = 0;
  bool first_ = true;       // in the innermost container
  bool after_key_ = false;  // a value follows its key
};

}  // namespace aevum::block
