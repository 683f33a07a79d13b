// Checks a whole index: every checksum, every reference, and the known issues of old compactors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "base/status.h"
#include "block/meta.h"

namespace aevum::tools {

// What readers can live with and compactors can't. Chunks are counted, but for the series.
struct IndexHealth {
  std::uint64_t series = 0;
  std::uint64_t chunks = 0;
  std::uint64_t series_with_unsorted_labels = 0;
  std::uint64_t series_with_unsorted_chunks = 0;
  // Begin before the end of the chunk before them.
  std::uint64_t unsorted_chunks = 0;
  // Of these, have both times of the chunk before them: most likely its copy.
  std::uint64_t duplicated_chunks = 0;
  // Reach beyond the times of the block.
  std::uint64_t outside_chunks = 0;
  // Of these, have no sample that belongs into it.
  std::uint64_t wholly_outside_chunks = 0;
  // Of the others, begin exactly at the end of the block (prometheus/tsdb issue 347).
  std::uint64_t issue_347_chunks = 0;

  // What is wrong, in the words of Thanos; "" when nothing is.
  std::string Problems() const;
};

struct IndexReport {
  IndexHealth health;
  // Where the chunks of each segment begin, ascending, each once.
  std::vector<std::vector<std::uint32_t>> chunk_offsets;
};

// Reads all of it. `segments` is how many the block has. Memory: 4 bytes a chunk and 4 a series.
// Corruption names the section and the offset; Cancelled and DeadlineExceeded from the context.
StatusOr<IndexReport> CheckIndex(const Context& context, SharedBytes index, const block::Meta& meta,
                                 std::size_t segments);

}  // namespace aevum::tools
