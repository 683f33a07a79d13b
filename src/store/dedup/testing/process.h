// What replicas scrape: a counter that restarts, or a gauge, whose every moment is known.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "store/dedup/testing/random.h"

namespace aevum::store::dedup::testing {

enum class ProcessKind : std::uint8_t { kCounter, kGauge };

// A time that something is down, the end not included.
struct Down {
  TimestampMs from = 0;
  TimestampMs to = 0;
};

// Values on a grid, linear in between, so sums over time are exact. A counter of whole numbers is
// rounded down. Immutable.
class Process {
 public:
  // Where and how finely its values are known.
  struct Span {
    TimestampMs start = 0;
    TimestampMs end = 0;
    TimestampMs interval = 0;  // a scrape interval; a grid step is an eighth
  };
  // Counters of 0.3 to 3,000 events a step, steady, bursty or floats, with up to three restarts;
  // gauges that walk, step, saw or peak, always up.
  static Process Dense(Random& random, ProcessKind kind, const Span& span);
  // Counters of one event in a thousand seconds to 300 a second; half of them restart. Of the
  // gauges a third are down for a while.
  static Process Sparse(Random& random, ProcessKind kind, const Span& span);

  bool Up(TimestampMs time) const;
  // What a scrape reads.
  double Read(TimestampMs time) const;
  // Of a counter, what it counted in (from, to].
  double Increase(TimestampMs from, TimestampMs to) const { return Total(to) - Total(from); }
  // Of a gauge, in [from, to] while it is up; 0 where it never is.
  double Average(TimestampMs from, TimestampMs to) const;
  double Maximum(TimestampMs from, TimestampMs to) const;
  double Minimum(TimestampMs from, TimestampMs to) const;
  // The time in (from, to] that it was up.
  TimestampMs Uptime(TimestampMs from, TimestampMs to) const;
  // Whether a life of it begins in (from, to].
  bool RestartsIn(TimestampMs from, TimestampMs to) const;
  ProcessKind kind() const { return kind_; }
  // A counter of whole numbers.
  bool counts_events() const { return kind_ == ProcessKind::kCounter && whole_; }
  const std::vector<Down>& downs() const { return downs_; }

 private:
  Process(ProcessKind kind, const Span& span);
  void DenseCounter(Random& random);
  void DenseGauge(Random& random);
  void SparseCounter(Random& random);
  void SparseGauge(Random& random);
  void GoDown(TimestampMs from, TimestampMs length);
  double Total(TimestampMs time) const;
  TimestampMs fine_step() const { return std::max<TimestampMs>(1, grid_ / 4); }

  ProcessKind kind_;
  TimestampMs start_;
  TimestampMs end_;
  TimestampMs grid_;
  bool whole_ = true;  // counts are whole numbers
  std::vector<double> points_;
  std::vector<Down> downs_;
};

}  // namespace aevum::store::dedup::testing
