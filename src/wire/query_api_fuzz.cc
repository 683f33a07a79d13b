#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "wire/query_api.h"

namespace {

using namespace aevum;

// What was understood survives the way back.
void Response(std::string_view bytes) {
  const auto response = wire::DecodeQueryResponse(bytes);
  if (!response.ok() || response->series.empty()) return;
  const std::string again = wire::EncodeQuerySeries(response->series, /*as_batch=*/true);
  const auto copy = wire::DecodeQueryResponse(again);
  AEVUM_CHECK(copy.ok());
  AEVUM_CHECK(copy->series.size() == response->series.size());
  AEVUM_CHECK(wire::EncodeQuerySeries(copy->series, /*as_batch=*/true) == again);
}

template <typename Decode>
void Request(std::string_view bytes, Decode decode) {
  const auto request = decode(bytes);
  if (!request.ok()) return;
  const std::string again = wire::Encode(*request);
  const auto copy = decode(again);
  AEVUM_CHECK(copy.ok());
  AEVUM_CHECK(wire::Encode(*copy) == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      Response(bytes);
      break;
    case 1:
      Request(bytes, wire::DecodeQueryRequest);
      break;
    default:
      Request(bytes, wire::DecodeQueryRangeRequest);
  }
  return 0;
}
