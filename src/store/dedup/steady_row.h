// The usual case of adaptive deduplication, without the rule: one replica is whole.
#pragma once

#include <span>

#include "base/clock.h"
#include "chunk/chunk.h"

namespace aevum::store::dedup {

// Appends to `out` what MergeAdaptive makes of the chunks of all replicas (ChunkView::replicas), of
// samples in [start, end] and with `start` as the start of the range, where that is plainly the row
// of one of them: its steps are even and without markers, it is the one to choose at the start and
// at each epoch, and no other row has a marker behind its end. False, with nothing appended, where
// this is not plain, the chunks are not XOR or do not follow one another, or one is damaged; then
// the rule must be asked. docs/dev/dedup.md has the proof.
//
// The chunks are in the order of min time. Decodes the chunks of that row, right into `out`; of the
// others five samples at the start and at each epoch, and it walks over a chunk that goes on behind
// the end of the row. Allocates nothing that `out` need not hold.
bool CopySteadyRow(std::span<const chunk::ChunkView> chunks, TimestampMs start, TimestampMs end,
                   chunk::Columns* out);

}  // namespace aevum::store::dedup
