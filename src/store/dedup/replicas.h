// The chunks of one series told apart by replica, and the chunks of one replica joined.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "chunk/chunk.h"

namespace aevum::store::dedup {

// Puts each chunk, in order of min time, into the first row whose last chunk ends before it begins:
// rows hold chunks that do not overlap, and mostly those of one replica. Gives the positions.
// Parts of one aggregate chunk stay together.
std::vector<std::vector<std::size_t>> SplitOverlaps(std::span<const chunk::ChunkView> chunks);

// The positions of chunks, in order of min time, by replica: as ChunkView::replicas tells, and
// where one of these has chunks that overlap, each with the chunk that it continues best. Rows hold
// chunks that do not overlap; a chunk that several replicas have is in the row of each. Parts of
// one aggregate chunk stay together.
std::vector<std::vector<std::size_t>> SplitReplicas(std::span<const chunk::ChunkView> chunks);

// Appends the union of chunks of one replica. Of samples at one time a number wins over a NaN, a
// NaN over a staleness marker, a greater value over a smaller one, and of a float and a histogram
// the histogram; so the result does not depend on the order or the layout of the chunks.
void Union(std::span<const chunk::Columns> chunks, chunk::Columns* out);

}  // namespace aevum::store::dedup
