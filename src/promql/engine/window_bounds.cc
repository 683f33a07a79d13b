#include "promql/engine/window_bounds.h"

namespace aevum::promql {

bool WindowBounds::Find(const WindowSteps& steps, const std::vector<TimestampMs>& times) {
  if (found_ && times == times_) return true;
  found_ = true;
  times_ = times;
  lo_.resize(steps.size);
  hi_.resize(steps.size);
  const auto size = static_cast<std::int64_t>(times.size());
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  for (std::size_t k = 0; k < steps.size; ++k) {
    const TimestampMs end = steps.ends[k];
    const TimestampMs start = end - steps.range_ms;
    while (hi < size && times_[static_cast<std::size_t>(hi)] <= end) ++hi;
    while (lo < hi && times_[static_cast<std::size_t>(lo)] <= start) ++lo;
    lo_[k] = lo;
    hi_[k] = hi;
  }
  return false;
}

}  // namespace aevum::promql
