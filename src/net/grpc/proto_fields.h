// Reads and writes the few protobuf messages that the built-in services need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aevum::net::grpc {

// One field of a message: a number for varints, else bytes.
struct ProtoField {
  std::uint32_t number = 0;
  std::uint64_t value = 0;
  std::string_view bytes;
};

// Walks the fields of a serialized message. Borrows it. Thread-compatible.
class ProtoFields {
 public:
  explicit ProtoFields(std::string_view message) : rest_(message) {}
  // nullopt at the end, and at the first byte that is malformed.
  std::optional<ProtoField> Next();
  bool malformed() const { return malformed_; }

 private:
  std::optional<std::uint64_t> Varint();
  std::optional<std::string_view> Take(std::uint64_t size);

  std::string_view rest_;
  bool malformed_ = false;
};

void AppendProtoVarint(std::string& out, std::uint32_t number, std::uint64_t value);
void AppendProtoBytes(std::string& out, std::uint32_t number, std::string_view bytes);

}  // namespace aevum::net::grpc
