#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "storegateway/postings_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto postings = aevum::storegateway::DecodeCachedPostings(bytes, 100'000);
  if (!postings.ok()) return 0;
  // What was read once is written and read as the same.
  const auto again = aevum::storegateway::DecodeCachedPostings(
      aevum::storegateway::EncodePostings(*postings), postings->size());
  AEVUM_CHECK(again.ok() && *again == *postings);
  return 0;
}
