// The windows that downsampling cuts time into, and how many chunks a series becomes.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace aevum::compaction {

// The last time of the window that `time` falls into, but at most `last`. Windows are as long as
// `resolution_ms` and begin at its multiples; the one around 0 reaches to both sides of it.
inline TimestampMs WindowEnd(TimestampMs time, std::int64_t resolution_ms, TimestampMs last) {
  const std::int64_t rest = resolution_ms - 1 - time % resolution_ms;
  // At the end of time the sum would not fit.
  if (time > INT64_MAX - rest) return last;
  return time + rest < last ? time + rest : last;
}

// How many aggregate chunks are made of so many samples between two times, a sample each
// `from_resolution_ms` where the series has no gap: as many as give a chunk at most 140 windows on
// average, if the samples lie evenly. At least 1.
std::uint64_t TargetChunkCount(TimestampMs min_time, TimestampMs max_time,
                               std::int64_t from_resolution_ms, std::int64_t to_resolution_ms,
                               std::uint64_t samples);

}  // namespace aevum::compaction
