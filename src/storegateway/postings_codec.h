// Postings as Thanos keeps them in caches: differences as varints, in a snappy stream.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "tsdb/postings.h"

namespace aevum::storegateway {

//     "dss" | snappy stream (identifier, chunks with masked CRC-32C) of uvarint x count
//
// No postings are "dss" alone. Each number is the difference to the reference before, the first one
// to 0. References are those of the index: of version 2 places divided by 16. Source:
// pkg/store/postings_codec.go of Thanos.
std::string EncodePostings(std::span<const tsdb::SeriesRef> postings);

// Reads that, and the older form, "dvs" with one block of snappy. Corruption when a checksum is
// wrong, references do not rise or pass 32 bits, or there are more than `most` of them; what is
// declared is checked before it is allocated.
StatusOr<tsdb::Postings> DecodeCachedPostings(std::string_view bytes, std::size_t most);

}  // namespace aevum::storegateway
