// The segment files that hold the chunks of a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace aevum::tsdb {

//     magic 0x85BD40DD u32 | version 1 u8 | 0 x 3 | chunk ...
inline constexpr std::size_t kSegmentHeaderBytes = 8;
// Length, encoding and checksum around the data of a chunk, at most.
inline constexpr std::size_t kMostChunkFrameBytes = 5 + 1 + 4;

// The name of a segment in its block, from 0: "chunks/000001" is the first.
std::string SegmentName(std::uint32_t segment);

// The first kSegmentHeaderBytes of a segment.
std::string MakeSegmentHeader();
// Corruption when the first bytes of a file are not those of a segment.
Status CheckSegmentHeader(std::string_view head);

// A chunk as it is stored; borrows the bytes.
struct StoredChunk {
  std::uint8_t encoding = 0;  // of chunk::Encoding, or chunk::kAggregateEncoding
  std::string_view data;
};

// How many bytes a chunk of so many bytes of data takes, frame included.
std::size_t StoredSize(std::size_t data_bytes);

// How many bytes the chunk takes that begins at `bytes`, frame included; its first five are enough.
// Corruption when they are no length.
StatusOr<std::size_t> StoredChunkBytes(std::string_view bytes);

// Reads the chunk that begins at `bytes`, which may go on behind it.
//
//     length uvarint | encoding u8 | data | CRC-32C of encoding and data u32
//
// Corruption when it is cut short or the checksum is wrong.
StatusOr<StoredChunk> ParseStoredChunk(std::string_view bytes);

}  // namespace aevum::tsdb
