// The framed snappy stream that grpc-encoding `snappy` puts into each message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace aevum::net::grpc {

//     identifier chunk, then chunks: type u8 | size u24 | masked CRC32C u32 | data
//
// Type 0 is snappy, 1 is plain; each holds at most 64 KiB of plain bytes.
std::string SnappyCompress(std::string_view plain);

// Checks everything and sums the declared sizes before it allocates the one buffer of the result.
// ResourceExhausted when that would pass `max_bytes`; Internal when the stream is damaged, as the
// peers answer it.
StatusOr<SharedBytes> SnappyDecompress(std::string_view framed, std::size_t max_bytes);
// The size that SnappyDecompress would give, from the headers alone.
StatusOr<std::size_t> SnappyPlainSize(std::string_view framed, std::size_t max_bytes);

}  // namespace aevum::net::grpc
