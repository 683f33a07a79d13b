// XOR2 chunks: floats with the changes of time and value in one prefix, and optional start
// timestamps.
//
//     samples u16 | start timestamp header u8 | t0 varint | v0 64 bits | delta uvarint | value |
//     ...
//
// docs/format/chunk.md has the bits; the source is Prometheus's tsdb/chunkenc/xor2.go.
#pragma once

#include <string_view>

#include "base/status.h"
#include "chunk/chunk.h"

namespace aevum::chunk {

// Appends the samples of an XOR2 chunk, with start timestamps where `out` wants them. Corruption
// when the bytes end before the samples do, with the samples of `out` unchanged.
Status DecodeXor2(std::string_view data, Columns* out);

}  // namespace aevum::chunk
