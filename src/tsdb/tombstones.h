// What was deleted from a block and is still in its chunks.
#pragma once

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "tsdb/postings.h"
#include "tsdb/series_entry.h"

namespace aevum::tsdb {

// The intervals of each series that are deleted. Immutable, hence thread-safe.
class Tombstones {
 public:
  // Reads a `tombstones` file:
  //
  //     magic 0x0130BA30 u32 | version 1 u8 | (series uvarint, min varint, max varint) x n |
  //     CRC-32C
  //
  // The checksum is over what stands between version and it. Corruption when it is wrong or the
  // file is cut short.
  static StatusOr<Tombstones> Parse(std::string_view file);

  bool empty() const { return intervals_.empty(); }
  // Sorted, not overlapping; both ends inclusive.
  std::span<const TimeRange> Of(SeriesRef series) const;

 private:
  std::unordered_map<SeriesRef, std::vector<TimeRange>> intervals_;
};

}  // namespace aevum::tsdb
