// The first byte chooses the encoding, the rest is the chunk.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "chunk/chunk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum::chunk;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Columns columns;
  const auto encoding = static_cast<Encoding>(data[0] % 7);
  if (Decode(encoding, bytes, &columns).ok()) {
    AEVUM_CHECK(columns.times.size() + columns.histogram_times.size() ==
                ClaimedSamples(encoding, bytes));
  }
  AEVUM_CHECK(columns.times.size() == columns.values.size());
  AEVUM_CHECK(columns.histogram_times.size() == columns.histograms.size());
  return 0;
}
