#include "net/grpc/proto_fields.h"

namespace aevum::net::grpc {
namespace {

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kFixed32 = 5;

void AppendVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

}  // namespace

std::optional<std::uint64_t> ProtoFields::Varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  malformed_ = true;
  return std::nullopt;
}

std::optional<std::string_view> ProtoFields::Take(std::uint64_t size) {
  if (size > rest_.size()) {
    malformed_ = true;
    return std::nullopt;
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::optional<ProtoField> ProtoFields::Next() {
  if (rest_.empty() || malformed_) return std::nullopt;
  const std::optional<std::uint64_t> tag = Varint();
  if (!tag) return std::nullopt;
  ProtoField field;
  field.number = static_cast<std::uint32_t>(*tag >> 3);
  std::optional<std::string_view> bytes;
  switch (static_cast<std::uint32_t>(*tag & 7)) {
    case kVarint: {
      const std::optional<std::uint64_t> value = Varint();
      if (!value) return std::nullopt;
      field.value = *value;
      return field;
    }
    case kFixed64:
      bytes = Take(8);
      break;
    case kFixed32:
      bytes = Take(4);
      break;
    case kBytes: {
      const std::optional<std::uint64_t> size = Varint();
      if (size) bytes = Take(*size);
      break;
    }
    default:
      malformed_ = true;
  }
  if (!bytes) return std::nullopt;
  field.bytes = *bytes;
  return field;
}

void AppendProtoVarint(std::string& out, std::uint32_t number, std::uint64_t value) {
  AppendVarint(out, number << 3 | kVarint);
  AppendVarint(out, value);
}

void AppendProtoBytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  AppendVarint(out, number << 3 | kBytes);
  AppendVarint(out, bytes.size());
  out += bytes;
}

}  // namespace aevum::net::grpc
