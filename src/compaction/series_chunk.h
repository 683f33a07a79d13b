// A chunk of a series that is merged, and where it comes from.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "chunk/chunk.h"
#include "tsdb/block_writer.h"
#include "tsdb/series_entry.h"

namespace aevum::compaction {

// Borrows all it has.
struct SeriesChunk {
  tsdb::WrittenChunk chunk;
  // Chunks of one replica have one number.
  std::uint32_t replica = 0;
  // Of blocks that overlap in time, directly or by way of others; ascends with time.
  std::uint32_t component = 0;
  // What is deleted of its time, sorted; empty: nothing.
  std::span<const tsdb::TimeRange> deleted;

  bool IsAggregate() const;
  bool overlaps(const SeriesChunk& next) const { return next.chunk.min_time <= chunk.max_time; }
};

// Whether a time is in one of the ranges, which are sorted and do not overlap.
bool IsDeleted(std::span<const tsdb::TimeRange> ranges, TimestampMs time);

// Replaces `out` by the samples that are not deleted of a chunk, or of a part of one. A histogram
// at its begin loses what it knows of the one before it. Corruption when samples are not in order
// or outside of the times of the chunk; `first_time` is the earliest that may be.
Status DecodeSeriesChunk(chunk::Encoding encoding, std::string_view data, const SeriesChunk& chunk,
                         TimestampMs first_time, chunk::Columns* out);

}  // namespace aevum::compaction
