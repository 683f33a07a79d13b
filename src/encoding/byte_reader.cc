#include "encoding/byte_reader.h"

namespace aevum::encoding {

Status ByteReader::status() const {
  return failed_ ? Corruption("bytes end inside a value, size: {}", end_ - begin_) : OkStatus();
}

std::uint64_t ByteReader::ReadLongUvarint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (done()) return Fail();
    const auto byte = static_cast<std::uint8_t>(*next_++);
    // The tenth byte has room for one bit.
    if (shift == 63 && byte > 1) return Fail();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return Fail();
}

std::uint64_t ByteReader::Fail() {
  failed_ = true;
  next_ = end_;
  return 0;
}

}  // namespace aevum::encoding
