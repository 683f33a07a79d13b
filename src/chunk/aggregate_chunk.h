// Chunks of downsampled data: the count, sum, min, max and counter of windows.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "chunk/chunk.h"

namespace aevum::chunk {

// The encoding byte of an aggregate chunk in a block; it is not on the wire, where the parts are.
inline constexpr std::uint8_t kAggregateEncoding = 255;

// One part; absent when its encoding is kNone.
struct AggregatePart {
  Encoding encoding = Encoding::kNone;
  std::string_view data;  // borrows the chunk's bytes
};

// Indexed by Aggregate less kCount: count, sum, min, max, counter.
using AggregateParts = std::array<AggregatePart, 5>;

// Splits the data of an aggregate chunk.
//
//     (length uvarint | encoding u8 | data) x 5       an absent part is its length 0 alone
//
// Source: Thanos, pkg/compact/downsample/aggr.go. Corruption when it is cut short, goes on behind
// the last part or has a part of an unknown encoding.
StatusOr<AggregateParts> SplitAggregateChunk(std::string_view data);
// The data of an aggregate chunk with these parts.
std::string JoinAggregateParts(const AggregateParts& parts);

}  // namespace aevum::chunk
