// Raw samples as a compactor stores them for windows: five aggregates, cut into chunks.
#pragma once

#include <vector>

#include "chunk/chunk.h"

namespace aevum::store::dedup::testing {

// Samples of one replica. Each stands for a window and has the time of its end, or of the last raw
// sample where a chunk ends earlier. Windows without samples are not there.
struct Downsampled {
  chunk::Columns count, sum, min, max;
  // Of each chunk the totals since it began, resets added up; then at the time of the last total
  // the last raw value.
  std::vector<chunk::Columns> counters;
};

// Cuts a chunk after so many windows.
Downsampled Downsample(const chunk::Columns& raw, TimestampMs window, int windows_per_chunk);

}  // namespace aevum::store::dedup::testing
