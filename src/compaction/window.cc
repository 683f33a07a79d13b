#include "compaction/window.h"

#include <algorithm>

namespace aevum::compaction {
namespace {

// Whole windows in a chunk, on average.
constexpr std::uint64_t kMostWindowsOnAverage = 140;

}  // namespace

std::uint64_t TargetChunkCount(TimestampMs min_time, TimestampMs max_time,
                               std::int64_t from_resolution_ms, std::int64_t to_resolution_ms,
                               std::uint64_t samples) {
  if (max_time <= min_time) return 1;
  // The difference of any two times fits.
  const std::uint64_t range =
      static_cast<std::uint64_t>(max_time) - static_cast<std::uint64_t>(min_time);
  const std::uint64_t windows = range / static_cast<std::uint64_t>(to_resolution_ms);
  const double steps = static_cast<double>(range) / static_cast<double>(from_resolution_ms);
  const double fullness = std::min(static_cast<double>(samples) / steps, 1.0);
  const auto expected = static_cast<std::uint64_t>(static_cast<double>(windows) * fullness) + 1;
  return expected / (kMostWindowsOnAverage + 1) + 1;
}

}  // namespace aevum::compaction
