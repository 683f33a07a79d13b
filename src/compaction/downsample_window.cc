#include "compaction/downsample_window.h"

namespace aevum::compaction {

std::size_t TargetChunkCount(TimestampMs min_time, TimestampMs max_time, std::int64_t from_ms,
                             std::int64_t to_ms, std::size_t samples) {
  constexpr std::size_t kMostSamples = 140;
  const std::int64_t range = max_time - min_time;
  const double filled =
      static_cast<double>(samples) / (static_cast<double>(range) / static_cast<double>(from_ms));
  const double expected = static_cast<double>(range / to_ms) * std::min(filled, 1.0);
  return (static_cast<std::size_t>(expected) + 1) / (kMostSamples + 1) + 1;
}

}  // namespace aevum::compaction
