// Integers appended to bytes, as ByteReader reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "encoding/proto_wire.h"

namespace aevum::encoding {

// Big-endian.
inline void PutU32(std::string& out, std::uint32_t value) {
  const std::uint32_t big_endian = __builtin_bswap32(value);
  out.append(reinterpret_cast<const char*>(&big_endian), sizeof big_endian);
}
inline void PutU64(std::string& out, std::uint64_t value) {
  const std::uint64_t big_endian = __builtin_bswap64(value);
  out.append(reinterpret_cast<const char*>(&big_endian), sizeof big_endian);
}
// A signed varint, zigzag; PutUvarint is that of protobuf.
inline void PutVarint(std::string& out, std::int64_t value) {
  PutUvarint(out, static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
}

}  // namespace aevum::encoding
