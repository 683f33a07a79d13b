#include "encoding/crc32c.h"

#include <isa-l/crc.h>

namespace aevum::encoding {

std::uint32_t Crc32c(std::string_view bytes) { return ExtendCrc32c(0, bytes); }

std::uint32_t ExtendCrc32c(std::uint32_t of, std::string_view bytes) {
  // The library only reads, though its signature does not say so.
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  std::uint32_t crc = ~of;
  // Its length is an int.
  std::size_t left = bytes.size();
  while (left > 0) {
    const auto piece = static_cast<int>(left < (1U << 30) ? left : 1U << 30);
    crc = crc32_iscsi(data, piece, crc);
    data += piece;
    left -= static_cast<std::size_t>(piece);
  }
  return ~crc;
}

}  // namespace aevum::encoding
