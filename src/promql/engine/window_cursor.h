// The samples of windows that advance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace aevum::promql {

// The samples [lo, hi) of each window (end - range, end] in turn. Ends must ascend.
class WindowCursor {
 public:
  WindowCursor(const std::vector<TimestampMs>& times, std::int64_t range_ms)
      : times_(times), range_ms_(range_ms) {}

  void MoveTo(TimestampMs end) {
    while (hi < times_.size() && times_[hi] <= end) ++hi;
    while (lo < hi && times_[lo] <= end - range_ms_) ++lo;
  }
  bool empty() const { return lo == hi; }

  std::size_t lo = 0;
  std::size_t hi = 0;

 private:
  const std::vector<TimestampMs>& times_;
  const std::int64_t range_ms_;
};

}  // namespace aevum::promql
