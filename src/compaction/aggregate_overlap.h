// Aggregate chunks of one series that overlap, made into chunks that do not.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "compaction/merge.h"
#include "compaction/sample_encoder.h"
#include "compaction/series_chunk.h"

namespace aevum::compaction {

// By kPenalty each aggregate is merged by itself, as Thanos does it. Else one replica is taken a
// window, as store::dedup::MergeAggregates chooses, and the counter goes on as one that never
// falls.
//
// `window` is the resolution of the block. Appends chunks of at most kMostChunkSamples windows; the
// chunks are sorted by min time. Corruption when one is not well formed.
Status MergeAggregateChunks(std::span<const SeriesChunk> chunks, MergeFunction function,
                            TimestampMs window, std::vector<EncodedChunk>* out);

}  // namespace aevum::compaction
