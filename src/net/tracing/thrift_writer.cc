#include "net/tracing/thrift_writer.h"

#include <bit>

#include "encoding/proto_wire.h"

namespace aevum::net {
namespace {

constexpr std::uint8_t kCompactTrue = 1;
constexpr std::uint8_t kCompactFalse = 2;

}  // namespace

std::uint8_t ThriftWriter::CodeOf(Type type) const {
  switch (type) {
    case Type::kBool:
      return compact_ ? kCompactTrue : 2;
    case Type::kI32:
      return compact_ ? 5 : 8;
    case Type::kI64:
      return compact_ ? 6 : 10;
    case Type::kDouble:
      return compact_ ? 7 : 4;
    case Type::kString:
      return compact_ ? 8 : 11;
    case Type::kList:
      return compact_ ? 9 : 15;
    case Type::kStruct:
      return 12;
  }
  return 0;
}

void ThriftWriter::Field(std::int16_t field, std::uint8_t code) {
  std::int16_t& last = last_fields_.back();
  const int step = field - last;
  last = field;
  if (!compact_) {
    bytes_ += static_cast<char>(code);
    Big(static_cast<std::uint16_t>(field), 2);
  } else if (step >= 1 && step <= 15) {
    bytes_ += static_cast<char>(step << 4 | code);
  } else {
    bytes_ += static_cast<char>(code);
    Zigzag(field);
  }
}

void ThriftWriter::Big(std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes_ += static_cast<char>(value >> shift);
  }
}

void ThriftWriter::Zigzag(std::int64_t value) {
  encoding::PutUvarint(
      bytes_, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

void ThriftWriter::Size(std::size_t size) {
  if (compact_) {
    encoding::PutUvarint(bytes_, size);
  } else {
    Big(size, 4);
  }
}

void ThriftWriter::OneWayCall(std::string_view method) {
  constexpr int kProtocol = 0x82;
  constexpr int kVersion = 1;
  constexpr int kOneWay = 4;
  bytes_ += static_cast<char>(kProtocol);
  bytes_ += static_cast<char>(kOneWay << 5 | kVersion);
  encoding::PutUvarint(bytes_, 0);  // number of the call: nobody answers
  Size(method.size());
  bytes_ += method;
}

void ThriftWriter::BeginStruct(std::int16_t field) {
  Field(field, CodeOf(Type::kStruct));
  BeginStruct();
}

void ThriftWriter::EndStruct() {
  bytes_ += '\0';
  last_fields_.pop_back();
}

void ThriftWriter::BeginStructs(std::int16_t field, std::size_t count) {
  Field(field, CodeOf(Type::kList));
  const std::uint8_t code = CodeOf(Type::kStruct);
  if (compact_ && count < 15) {
    bytes_ += static_cast<char>(count << 4 | code);
    return;
  }
  bytes_ += static_cast<char>(compact_ ? 0xf0 | code : code);
  Size(count);
}

void ThriftWriter::Bool(std::int16_t field, bool value) {
  // The compact protocol says the value with the type.
  if (compact_) return Field(field, value ? kCompactTrue : kCompactFalse);
  Field(field, CodeOf(Type::kBool));
  bytes_ += value ? '\1' : '\0';
}

void ThriftWriter::I32(std::int16_t field, std::int32_t value) {
  Field(field, CodeOf(Type::kI32));
  if (compact_) return Zigzag(value);
  Big(static_cast<std::uint32_t>(value), 4);
}

void ThriftWriter::I64(std::int16_t field, std::int64_t value) {
  Field(field, CodeOf(Type::kI64));
  if (compact_) return Zigzag(value);
  Big(static_cast<std::uint64_t>(value), 8);
}

void ThriftWriter::Double(std::int16_t field, double value) {
  Field(field, CodeOf(Type::kDouble));
  const auto bits = std::bit_cast<std::uint64_t>(value);
  Big(compact_ ? __builtin_bswap64(bits) : bits, 8);
}

void ThriftWriter::String(std::int16_t field, std::string_view value) {
  Field(field, CodeOf(Type::kString));
  Size(value.size());
  bytes_ += value;
}

}  // namespace aevum::net
