// Series with their chunks as they travel between stores: labels packed, chunks never copied.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "chunk/chunk.h"
#include "model/labels.h"

namespace aevum::wire {

// A run of series sorted by labels, plus the warnings that came with them. The chunks of a series
// are contiguous in `chunks`; aggregate chunks of the same span (count, sum, ...) follow one
// another. `owners` keeps alive what the chunk views point into. Thread-compatible.
struct SeriesBatch {
  struct Series {
    model::Labels labels;
    std::uint32_t first_chunk = 0;
    std::uint32_t chunk_count = 0;
  };

  std::vector<Series> series;
  std::vector<chunk::ChunkView> chunks;
  std::vector<BufferOwner> owners;
  std::vector<std::string> warnings;
  // The stores that the chunks came from, for errors that are found when they are decoded; null
  // where there is only one.
  std::shared_ptr<const std::vector<std::string>> sources;

  std::span<const chunk::ChunkView> ChunksOf(const Series& s) const {
    return std::span(chunks).subspan(s.first_chunk, s.chunk_count);
  }
  bool empty() const { return series.empty() && warnings.empty(); }
  void Clear() {
    series.clear();
    chunks.clear();
    owners.clear();
    warnings.clear();
    sources.reset();
  }
};

}  // namespace aevum::wire
