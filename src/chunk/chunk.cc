#include "chunk/chunk.h"

#include <bit>

#include "chunk/xor.h"

namespace aevum::chunk {

bool IsStale(double value) { return std::bit_cast<std::uint64_t>(value) == kStaleNanBits; }

std::uint32_t ClaimedSamples(std::string_view data) {
  if (data.size() < 2) return 0;
  return static_cast<std::uint32_t>(static_cast<std::uint8_t>(data[0])) << 8 |
         static_cast<std::uint8_t>(data[1]);
}

Status Decode(Encoding encoding, std::string_view data, Columns* out) {
  switch (encoding) {
    case Encoding::kXor:
      return DecodeXor(data, out);
    default:
      return Unimplemented("chunks of encoding {} can't be decoded by this version",
                           static_cast<int>(encoding));
  }
}

}  // namespace aevum::chunk
