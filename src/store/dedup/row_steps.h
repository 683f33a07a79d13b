// Times of a row as its replica sees them: distances between samples, in whole milliseconds that
// do not wrap round.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/clock.h"
#include "store/dedup/row_reader.h"

namespace aevum::store::dedup {

// time + delta, or the end of time.
inline TimestampMs Plus(TimestampMs time, TimestampMs delta) {
  TimestampMs sum = 0;
  if (!__builtin_add_overflow(time, delta, &sum)) return sum;
  return delta > 0 ? kMaxTime : kMinTime;
}

// to - from, or the longest distance there is.
inline TimestampMs Between(TimestampMs from, TimestampMs to) {
  TimestampMs distance = 0;
  if (!__builtin_sub_overflow(to, from, &distance)) return distance;
  return to > from ? kMaxTime : kMinTime;
}

inline TimestampMs Times(TimestampMs delta, TimestampMs factor) {
  TimestampMs product = 0;
  return __builtin_mul_overflow(delta, factor, &product) ? kMaxTime : product;
}

// A distance of more intervals than this is a gap.
inline constexpr double kTolerance = 1.5;
// So many intervals, in whole milliseconds.
inline TimestampMs Tolerated(TimestampMs interval) { return Plus(interval, interval / 2); }

// Up to four distances. The second smallest of them is an interval that one late scrape, one missed
// scrape or one scrape too many does not change.
class Steps {
 public:
  bool full() const { return count_ == 4; }
  void Add(TimestampMs from, TimestampMs to) {
    const TimestampMs step = Between(from, to);
    second_ = std::min(second_, std::max(least_, step));
    least_ = std::min(least_, step);
    ++count_;
  }
  // 0 when there is none; of less than three the smallest.
  TimestampMs Interval() const { return count_ == 0 ? 0 : count_ < 3 ? least_ : second_; }

 private:
  int count_ = 0;
  TimestampMs least_ = kMaxTime;
  TimestampMs second_ = kMaxTime;
};

// The interval of the four steps after a position; 0 when there is none.
inline TimestampMs IntervalAfter(RowReader& row, std::size_t i) {
  Steps steps;
  for (std::size_t q = i + 1; !steps.full() && row.Has(q); ++q) {
    steps.Add(row.Time(q - 1), row.Time(q));
  }
  return steps.Interval();
}

// The interval at a position: of the four steps before it, where there are fewer also of those
// after it. The step that leads to it comes in only when there is no other.
inline TimestampMs IntervalAt(RowReader& row, std::size_t i) {
  Steps steps;
  for (std::size_t q = i; !steps.full() && q > row.begin() + 1; --q) {
    steps.Add(row.Time(q - 2), row.Time(q - 1));
  }
  for (std::size_t q = i + 1; !steps.full() && row.Has(q); ++q) {
    steps.Add(row.Time(q - 1), row.Time(q));
  }
  if (const TimestampMs interval = steps.Interval(); interval != 0) return interval;
  return i > row.begin() && row.Has(i) ? Between(row.Time(i - 1), row.Time(i)) : 0;
}

}  // namespace aevum::store::dedup
