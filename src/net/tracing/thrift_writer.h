// Writes the structs of Apache Thrift, in its binary and its compact protocol.
//
// Source: "Thrift Binary protocol encoding" and "Thrift Compact protocol encoding" of the Thrift
// specifications.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aevum::net {

enum class ThriftProtocol : std::uint8_t { kBinary, kCompact };

// Fields are written in the order of their numbers, each struct between its begin and EndStruct:
//
//     ThriftWriter writer(ThriftProtocol::kCompact);
//     writer.BeginStruct();
//     writer.String(1, "name");
//     writer.BeginStructs(2, parts.size());
//     for (...) { writer.BeginStruct(); ...; writer.EndStruct(); }
//     writer.EndStruct();
//
// Thread-compatible.
class ThriftWriter {
 public:
  explicit ThriftWriter(ThriftProtocol protocol) : compact_(protocol == ThriftProtocol::kCompact) {}

  // The head of a call that has no answer, before the struct of its arguments. Compact only.
  void OneWayCall(std::string_view method);

  // The outermost struct, or one of a list.
  void BeginStruct() { last_fields_.push_back(0); }
  // One that is a field.
  void BeginStruct(std::int16_t field);
  void EndStruct();
  // A list of `count` structs, which follow.
  void BeginStructs(std::int16_t field, std::size_t count);

  void Bool(std::int16_t field, bool value);
  void I32(std::int16_t field, std::int32_t value);
  void I64(std::int16_t field, std::int64_t value);
  void Double(std::int16_t field, double value);
  void String(std::int16_t field, std::string_view value);

  const std::string& bytes() const { return bytes_; }

 private:
  enum class Type : std::uint8_t { kBool, kI32, kI64, kDouble, kString, kList, kStruct };

  std::uint8_t CodeOf(Type type) const;
  void Field(std::int16_t field, std::uint8_t code);
  void Big(std::uint64_t value, int size);
  void Zigzag(std::int64_t value);
  void Size(std::size_t size);

  const bool compact_;
  std::string bytes_;
  std::vector<std::int16_t> last_fields_;  // of the open structs
};

}  // namespace aevum::net
