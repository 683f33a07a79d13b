// The wire format of protobuf, for the messages that are read and written by hand.
//
// Source: the encoding guide of Protocol Buffers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "encoding/byte_reader.h"

namespace aevum::encoding {

enum class WireType : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Walks the fields of one message:
//
//     ProtoReader reader(bytes);
//     while (reader.Next()) {
//       switch (reader.field()) {
//         case 1: name = reader.Bytes(); break;   // a field of another wire type is an error
//         default: reader.Skip();
//       }
//     }
//     RETURN_IF_ERROR(reader.status());
//
// Each field must be read or skipped. Borrows the bytes. Thread-compatible.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : reader_(bytes) {}

  // False at the end and after an error.
  bool Next() {
    if (reader_.done() || failed_) return false;
    const std::uint64_t tag = reader_.ReadUvarint();
    field_ = static_cast<std::uint32_t>(tag >> 3);
    type_ = static_cast<std::uint8_t>(tag & 7);
    if (reader_.failed() || field_ == 0 || tag > UINT32_MAX) {
      failed_ = true;
      return false;
    }
    return true;
  }
  std::uint32_t field() const { return field_; }
  WireType type() const { return static_cast<WireType>(type_); }

  std::uint64_t Varint() { return Is(WireType::kVarint) ? reader_.ReadUvarint() : 0; }
  std::int64_t Int64() { return static_cast<std::int64_t>(Varint()); }
  std::string_view Bytes() {
    return Is(WireType::kBytes) ? reader_.ReadBytes(reader_.ReadUvarint()) : std::string_view();
  }
  double Double() {
    return Is(WireType::kFixed64) ? std::bit_cast<double>(reader_.ReadLittleU64()) : 0;
  }
  std::uint64_t Fixed64() { return Is(WireType::kFixed64) ? reader_.ReadLittleU64() : 0; }
  // Passes over a field of any type.
  void Skip();

  // Corruption when the bytes are not a message.
  Status status() const {
    return failed_ || reader_.failed()
               ? Corruption("not a protobuf message, damaged at byte {}", reader_.offset())
               : OkStatus();
  }

 private:
  bool Is(WireType type) {
    if (type_ == static_cast<std::uint8_t>(type)) return true;
    failed_ = true;
    return false;
  }

  ByteReader reader_;
  std::uint32_t field_ = 0;
  std::uint8_t type_ = 0;
  bool failed_ = false;
};

// Bytes that a varint takes.
inline std::size_t UvarintSize(std::uint64_t value) {
  return static_cast<std::size_t>((64 - std::countl_zero(value | 1) + 6) / 7);
}

inline void PutUvarint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

// Writers of a field; numbers that are 0 are left out, as proto3 does.
inline void PutTag(std::string& out, std::uint32_t field, WireType type) {
  PutUvarint(out, field << 3 | static_cast<std::uint32_t>(type));
}
inline void PutVarintField(std::string& out, std::uint32_t field, std::uint64_t value) {
  if (value == 0) return;
  PutTag(out, field, WireType::kVarint);
  PutUvarint(out, value);
}
inline void PutInt64Field(std::string& out, std::uint32_t field, std::int64_t value) {
  PutVarintField(out, field, static_cast<std::uint64_t>(value));
}
// Written also when 0.
inline void PutFixed64Field(std::string& out, std::uint32_t field, std::uint64_t value) {
  PutTag(out, field, WireType::kFixed64);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(value >> shift);
}
// A field that is left out reads as 0, so -0 is written.
inline void PutDoubleField(std::string& out, std::uint32_t field, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if (bits != 0) PutFixed64Field(out, field, bits);
}
// Written also when empty.
inline void PutBytesField(std::string& out, std::uint32_t field, std::string_view value) {
  PutTag(out, field, WireType::kBytes);
  PutUvarint(out, value.size());
  out += value;
}
// Sizes of what these write, for fields below 16 (a tag of one byte).
inline std::size_t BytesFieldSize(std::size_t size) { return 1 + UvarintSize(size) + size; }
inline std::size_t Int64FieldSize(std::int64_t value) {
  return value == 0 ? 0 : 1 + UvarintSize(static_cast<std::uint64_t>(value));
}

}  // namespace aevum::encoding
