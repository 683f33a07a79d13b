// Reads integers and byte strings out of a buffer, with one status at the end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/status.h"

namespace aevum::encoding {

// Every read checks its bounds. The first that fails makes the status an error and leaves nothing
// to read, so that a caller may read several values and ask once. Borrows the bytes.
// Thread-compatible.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : begin_(bytes.data()), next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::size_t remaining() const { return static_cast<std::size_t>(end_ - next_); }
  std::size_t offset() const { return static_cast<std::size_t>(next_ - begin_); }
  bool done() const { return next_ == end_; }
  bool failed() const { return failed_; }
  // OK, or Corruption once a read went beyond the end or a varint had too many bytes.
  Status status() const;

  std::uint8_t ReadU8() {
    if (done()) return static_cast<std::uint8_t>(Fail());
    return static_cast<std::uint8_t>(*next_++);
  }
  std::uint16_t ReadU16() { return ReadBigEndian<std::uint16_t>(); }
  std::uint32_t ReadU32() { return ReadBigEndian<std::uint32_t>(); }
  std::uint64_t ReadU64() { return ReadBigEndian<std::uint64_t>(); }
  std::uint64_t ReadLittleU64() {
    if (remaining() < sizeof(std::uint64_t)) return Fail();
    std::uint64_t value;
    std::memcpy(&value, next_, sizeof value);
    next_ += sizeof value;
    return value;
  }

  // A varint of LEB128, as protobuf and Prometheus write them.
  std::uint64_t ReadUvarint() {
    if (!done() && static_cast<std::uint8_t>(*next_) < 0x80)
      return static_cast<std::uint8_t>(*next_++);
    return ReadLongUvarint();
  }
  // A signed varint, zigzag.
  std::int64_t ReadVarint() {
    const std::uint64_t value = ReadUvarint();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }

  // The next `size` bytes; empty when there are not as many, which is an error.
  std::string_view ReadBytes(std::uint64_t size) {
    if (size > remaining()) {
      Fail();
      return {};
    }
    const std::string_view bytes(next_, static_cast<std::size_t>(size));
    next_ += size;
    return bytes;
  }

 private:
  template <typename T>
  T ReadBigEndian() {
    if (remaining() < sizeof(T)) return static_cast<T>(Fail());
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value << 8 | static_cast<std::uint8_t>(next_[i]));
    }
    next_ += sizeof(T);
    return value;
  }
  std::uint64_t ReadLongUvarint();
  std::uint64_t Fail();

  const char* begin_;
  const char* next_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace aevum::encoding
