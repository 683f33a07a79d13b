// How the tools write times and time spans of blocks.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/duration.h"

namespace aevum::tools {

// RFC 3339 in UTC, to the second: parts of one are cut.
inline std::string ShowSecond(TimestampMs time) { return FormatRfc3339(time / 1000 * 1000); }

// What spans more than Go's durations, 292 years, is shown as the longest of them.
inline Nanoseconds SpanOf(TimestampMs from, TimestampMs to) {
  constexpr std::int64_t kLongest = INT64_MAX / 1'000'000;
  std::int64_t span = 0;
  if (__builtin_sub_overflow(to, from, &span) || span > kLongest) return Nanoseconds::max();
  return span < -kLongest ? Nanoseconds::min() : std::chrono::milliseconds(span);
}
inline std::string ShowSpan(TimestampMs from, TimestampMs to) {
  return FormatGoDuration(SpanOf(from, to));
}

}  // namespace aevum::tools
