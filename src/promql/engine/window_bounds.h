// Which samples lie in the window of each step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace aevum::promql {

// Where a function is to be evaluated: the end of each step's window.
struct WindowSteps {
  const TimestampMs* ends;   // ascending
  const TimestampMs* steps;  // the same without offset
  std::size_t size;
  std::int64_t range_ms;  // windows are (end - range, end]
};

// The samples [lo, hi) of each window, found by cursors that advance. They are kept from series to
// series: those that come from one scrape have the same times. Thread-compatible.
class WindowBounds {
 public:
  // Finds the windows of columns of ascending times. The steps must be the same in every call.
  // True when the bounds are those of the call before.
  bool Find(const WindowSteps& steps, const std::vector<TimestampMs>& times);

  std::size_t size() const { return lo_.size(); }
  const std::int64_t* lo() const { return lo_.data(); }
  const std::int64_t* hi() const { return hi_.data(); }
  // Bytes of heap that the columns hold.
  std::int64_t memory_bytes() const {
    return static_cast<std::int64_t>((times_.capacity() + lo_.capacity() + hi_.capacity()) *
                                     sizeof(std::int64_t));
  }

 private:
  bool found_ = false;
  std::vector<TimestampMs> times_;
  std::vector<std::int64_t> lo_;
  std::vector<std::int64_t> hi_;
};

}  // namespace aevum::promql
