// The windows of downsampling, and how many chunks they go into.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace aevum::compaction {

// The last millisecond of the window of a time that is not negative.
inline TimestampMs WindowEnd(TimestampMs time, std::int64_t resolution_ms) {
  const TimestampMs begin = time - time % resolution_ms;
  return begin > kMaxTime - resolution_ms ? kMaxTime : begin + resolution_ms - 1;
}

// How many chunks the samples between two times make at another resolution: as many as it takes
// for chunks of less than 141 samples, by how densely the range is filled.
std::size_t TargetChunkCount(TimestampMs min_time, TimestampMs max_time, std::int64_t from_ms,
                             std::int64_t to_ms, std::size_t samples);

}  // namespace aevum::compaction
