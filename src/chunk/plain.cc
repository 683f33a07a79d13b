#include "chunk/plain.h"

#include "chunk/histogram.h"
#include "chunk/xor.h"
#include "chunk/xor2.h"

namespace aevum::chunk {

Encoding PlainEncoding(Encoding encoding) {
  switch (encoding) {
    case Encoding::kXor2:
      return Encoding::kXor;
    case Encoding::kHistogramStart:
      return Encoding::kHistogram;
    case Encoding::kFloatHistogramStart:
      return Encoding::kFloatHistogram;
    default:
      return encoding;
  }
}

StatusOr<std::string> RewritePlain(Encoding encoding, std::string_view data) {
  if (encoding != Encoding::kXor2) return StripStartTimes(encoding, data);
  Columns samples;
  RETURN_IF_ERROR(DecodeXor2(data, &samples));
  XorEncoder encoder;
  encoder.Append(samples.times, samples.values);
  return encoder.Bytes();
}

}  // namespace aevum::chunk
