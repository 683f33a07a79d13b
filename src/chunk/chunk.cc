#include "chunk/chunk.h"

#include <bit>

#include "chunk/histogram.h"
#include "chunk/xor.h"
#include "chunk/xor2.h"

namespace aevum::chunk {

bool IsStale(double value) { return std::bit_cast<std::uint64_t>(value) == kStaleNanBits; }

std::uint32_t ClaimedSamples(Encoding encoding, std::string_view data) {
  if (data.size() < 2) return 0;
  const std::uint32_t header = static_cast<std::uint32_t>(static_cast<std::uint8_t>(data[0])) << 8 |
                               static_cast<std::uint8_t>(data[1]);
  // These have the hint about a counter reset in the upper two bits.
  if (encoding == Encoding::kHistogramStart || encoding == Encoding::kFloatHistogramStart)
    return header & 0x3fff;
  return header;
}

namespace {

Status DecodeSamples(Encoding encoding, std::string_view data, Columns* out) {
  switch (encoding) {
    case Encoding::kXor:
      return DecodeXor(data, out);
    case Encoding::kXor2:
      return DecodeXor2(data, out);
    case Encoding::kHistogram:
    case Encoding::kFloatHistogram:
    case Encoding::kHistogramStart:
    case Encoding::kFloatHistogramStart:
      return DecodeHistogram(encoding, data, out);
    case Encoding::kNone:
      break;
  }
  return Unimplemented("chunks of encoding {} can't be decoded by this version",
                       static_cast<int>(encoding));
}

}  // namespace

Status Decode(Encoding encoding, std::string_view data, Columns* out) {
  out->FitStarts();
  Status status = DecodeSamples(encoding, data, out);
  // Not all encodings have them, and a chunk that is refused may have left some.
  out->FitStarts();
  return status;
}

Status DecodeFirst(Encoding encoding, std::string_view data, std::uint32_t samples, Columns* out) {
  if (encoding != Encoding::kXor) return Decode(encoding, data, out);
  Status status = DecodeXor(data, out, samples);
  out->FitStarts();
  return status;
}

}  // namespace aevum::chunk
