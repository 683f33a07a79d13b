// Messages of thanos.Metadata, thanos.Exemplars and thanos.Status.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "wire/exemplars_api.h"
#include "wire/metadata_api.h"
#include "wire/status_api.h"

namespace {

using namespace aevum;

// What was understood survives the way back.
template <typename Decode>
void Message(std::string_view bytes, Decode decode) {
  const auto message = decode(bytes);
  if (!message.ok()) return;
  const std::string again = wire::Encode(*message);
  const auto copy = decode(again);
  AEVUM_CHECK(copy.ok());
  AEVUM_CHECK(wire::Encode(*copy) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      Message(bytes, wire::DecodeMetricMetadataRequest);
      break;
    case 1:
      Message(bytes, wire::DecodeMetricMetadataResponse);
      break;
    case 2:
      Message(bytes, wire::DecodeExemplarsRequest);
      break;
    case 3:
      Message(bytes, wire::DecodeExemplarsResponse);
      break;
    case 4:
      Message(bytes, wire::DecodeTsdbStatisticsRequest);
      break;
    default:
      Message(bytes, wire::DecodeTsdbStatisticsResponse);
  }
  return 0;
}
