#include "encoding/snappy.h"

#include <snappy.h>

namespace aevum::encoding {

std::string SnappyCompress(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

StatusOr<std::string> SnappyDecompress(std::string_view bytes, std::size_t limit_bytes) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(bytes.data(), bytes.size(), &size)) {
    return Corruption("snappy: no declared size, {} bytes", bytes.size());
  }
  if (size > limit_bytes) {
    return ResourceExhausted("snappy: declares {} bytes, more than the limit of {}", size,
                             limit_bytes);
  }
  // Each byte of the format yields at most 64 bytes (a copy of three bytes), so a larger claim is
  // damage, and is found without allocating for it.
  if (size / 64 > bytes.size())
    return Corruption("snappy: declares {} bytes for {}", size, bytes.size());
  std::string out(size, '\0');
  if (!snappy::RawUncompress(bytes.data(), bytes.size(), out.data())) {
    return Corruption("snappy: damaged block of {} bytes", bytes.size());
  }
  return out;
}

}  // namespace aevum::encoding
