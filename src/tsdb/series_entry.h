// One series in an index: its labels as symbols, its chunks as places.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace aevum::tsdb {

// A chunk of a block. In a segment file: the number of the segment (from 0) in the upper half, the
// offset in its file in the lower.
struct ChunkMeta {
  TimestampMs min_time = 0;  // of the first sample
  TimestampMs max_time = 0;  // of the last sample, inclusive
  std::uint64_t ref = 0;

  std::uint32_t segment() const { return static_cast<std::uint32_t>(ref >> 32); }
  std::uint32_t offset() const { return static_cast<std::uint32_t>(ref); }
  friend bool operator==(const ChunkMeta&, const ChunkMeta&) = default;
};

// Times to read, both inclusive.
struct TimeRange {
  TimestampMs min_time;
  TimestampMs max_time;
};

// Meant to be filled again and again. Thread-compatible.
struct SeriesEntry {
  struct Label {
    std::uint32_t name = 0;
    std::uint32_t value = 0;
  };
  std::vector<Label> labels;  // symbols
  std::vector<ChunkMeta> chunks;
};

// How many bytes the entry takes that begins at `bytes`: length, body and checksum. Its first ten
// bytes are enough. Corruption when they are no length.
StatusOr<std::size_t> SeriesEntryBytes(std::string_view bytes);

// Reads the entry that begins at `bytes`, which may go on behind it.
//
//     length uvarint | labels uvarint | (name uvarint, value uvarint) x labels
//     | chunks uvarint | min varint, max - min uvarint, ref uvarint        (the first chunk)
//     | (min - last max uvarint, max - min uvarint, ref - last ref varint) x (chunks - 1) | CRC-32C
//
// Keeps of the chunks those that overlap `range`; for a range that holds no time the chunks are not
// even read. Corruption when it is cut short, the checksum is
// wrong, or times or references run backwards or out of range.
Status ParseSeriesEntry(std::string_view bytes, const TimeRange& range, SeriesEntry* out);
// As above with all chunks, also where one begins before the last of the chunk before it: old
// compactors wrote such blocks, and who looks for them has to read them.
Status ParseSeriesEntryInAnyOrder(std::string_view bytes, SeriesEntry* out);

}  // namespace aevum::tsdb
