// Counters whose resets are unrolled, and the seams of their chunks.
#pragma once

#include <span>

#include "chunk/chunk.h"

namespace aevum::store::dedup {

// Appends the floats of chunks in the order of time as one counter that never falls: after a fall
// the new values are added to the old. A second sample at the time of the last one of a chunk is
// the true last value before the seam (counter aggregates of downsampled data end so); it is not
// given out. NaN and what goes back in time is left out. Histograms pass as they are.
void ApplyCounterResets(std::span<const chunk::Columns> chunks, chunk::Columns* out);

}  // namespace aevum::store::dedup
