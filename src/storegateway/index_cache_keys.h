// The keys of Thanos's remote index caches.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/matcher.h"

namespace aevum::storegateway {

// Hashes are BLAKE2b of 256 bits in base64url without padding, so that no two labels have the same.
// Source: pkg/store/cache/cache.go of Thanos.

// P:<block>:<hash of name:value>:dss
std::string PostingsCacheKey(std::string_view block, std::string_view name, std::string_view value);
// EP:<block>:<hash of the matchers, sorted by type, name and value, joined by ;>:dss
std::string ExpandedPostingsCacheKey(std::string_view block, const model::Matchers& matchers);
// S:<block>:<offset of the series in the index>
std::string SeriesCacheKey(std::string_view block, std::uint64_t offset);

}  // namespace aevum::storegateway
