#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "wire/store_api.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum;
  const SharedBytes message =
      SharedBytes::Own(std::string(reinterpret_cast<const char*>(data), size));
  wire::SeriesBatch batch;
  if (!wire::DecodeSeriesResponse(message, &batch).ok() || batch.series.empty()) return 0;
  // What was understood survives the way back.
  const SharedBytes again = SharedBytes::Own(
      wire::EncodeSeriesResponse(batch, 0, batch.series.size(), /*as_batch=*/true));
  wire::SeriesBatch copy;
  AEVUM_CHECK(wire::DecodeSeriesResponse(again, &copy).ok());
  AEVUM_CHECK(copy.series.size() == batch.series.size());
  AEVUM_CHECK(copy.chunks.size() == batch.chunks.size());
  for (std::size_t i = 0; i < copy.series.size(); ++i)
    AEVUM_CHECK(copy.series[i].labels == batch.series[i].labels);
  return 0;
}
