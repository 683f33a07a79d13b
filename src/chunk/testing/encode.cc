#include "chunk/testing/encode.h"

#include <cstddef>
#include <cstdint>

#include "chunk/histogram_encoder.h"
#include "chunk/xor.h"
#include "chunk/xor2.h"

namespace aevum::chunk::testing {
namespace {

std::string EncodeXor2(const Columns& columns) {
  Xor2Encoder encoder;
  for (std::size_t i = 0; i < columns.times.size(); ++i) {
    encoder.Append(columns.times[i], columns.values[i],
                   columns.starts.empty() ? 0 : columns.starts[i]);
  }
  return encoder.Bytes();
}

}  // namespace

model::ResetHint HintOf(Encoding encoding, std::string_view data) {
  const bool starts =
      encoding == Encoding::kHistogramStart || encoding == Encoding::kFloatHistogramStart;
  if ((!starts && encoding != Encoding::kHistogram && encoding != Encoding::kFloatHistogram) ||
      data.size() < 3) {
    return model::ResetHint::kUnknown;
  }
  switch (static_cast<std::uint8_t>(data[starts ? 0 : 2]) >> 6) {
    case 1:
      return model::ResetHint::kNoReset;
    case 2:
      return model::ResetHint::kReset;
    case 3:
      return model::ResetHint::kGauge;
    default:
      return model::ResetHint::kUnknown;
  }
}

StatusOr<std::string> Encode(Encoding encoding, model::ResetHint hint, const Columns& columns) {
  if (encoding == Encoding::kXor) {
    XorEncoder encoder;
    encoder.Append(columns.times, columns.values);
    return encoder.Bytes();
  }
  if (encoding == Encoding::kXor2) return EncodeXor2(columns);
  HistogramEncoder encoder(encoding, hint);
  for (std::size_t i = 0; i < columns.histograms.size(); ++i) {
    if (!encoder.Fits(columns.histograms[i]))
      return InvalidArgument("histogram {} has another layout than the first", i);
    RETURN_IF_ERROR(
        encoder.Append(columns.histogram_times[i], columns.histograms[i],
                       columns.histogram_starts.empty() ? 0 : columns.histogram_starts[i]));
  }
  return encoder.Bytes();
}

}  // namespace aevum::chunk::testing
