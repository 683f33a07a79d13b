// The first byte is the size of the pieces that the body comes in; 0 reads it as samples.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/remote_read.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aevum;
  if (size == 0) return 0;
  std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 0) {
    wire::DecodeSampledResponse(body, 1 << 20).status().IgnoreError();
    return 0;
  }
  wire::ChunkedReadReader reader([](const wire::SeriesBatch&) { return OkStatus(); });
  while (!body.empty()) {
    const std::size_t piece = std::min<std::size_t>(data[0], body.size());
    if (!reader.Feed(body.substr(0, piece)).ok()) return 0;
    body.remove_prefix(piece);
  }
  reader.Finish().IgnoreError();
  return 0;
}
