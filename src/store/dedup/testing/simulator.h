// Replicas that scrape one process whose every moment is known.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "chunk/chunk.h"

namespace aevum::store::dedup::testing {

// A counter that restarts, or a gauge, between `start` and `end`. Values lie on a grid, linear in
// between, so sums over time are exact. Immutable.
class Process {
 public:
  enum class Kind : std::uint8_t { kCounter, kGauge };

  Process(std::mt19937_64& random, Kind kind, TimestampMs start, TimestampMs end,
          TimestampMs interval);

  bool Up(TimestampMs time) const;
  // What a scrape reads.
  double Read(TimestampMs time) const;
  // Of a counter, what it counted in (from, to].
  double Increase(TimestampMs from, TimestampMs to) const { return Total(to) - Total(from); }
  // Of a gauge, its mean over [from, to].
  double Average(TimestampMs from, TimestampMs to) const;
  // The time in (from, to] that it was up.
  TimestampMs Uptime(TimestampMs from, TimestampMs to) const;
  // Whether a life of it begins in (from, to].
  bool RestartsIn(TimestampMs from, TimestampMs to) const;
  Kind kind() const { return kind_; }

 private:
  struct Down {
    TimestampMs from = 0;
    TimestampMs to = 0;
  };
  void MakeCounter(std::mt19937_64& random);
  void MakeGauge(std::mt19937_64& random);
  double Total(TimestampMs time) const;

  Kind kind_;
  TimestampMs start_;
  TimestampMs end_;
  TimestampMs grid_;
  bool whole_ = true;  // counts are whole numbers
  std::vector<double> points_;
  std::vector<Down> downs_;
};

// Some faults of a case: a case has few of them, so that each is met alone and in pairs.
enum class Fault : std::uint8_t {
  kJitter,
  kLatency,
  kMisses,
  kOutage,
  kCorrelatedOutage,
  kLateStart,
  kEarlyEnd,
  kOtherInterval,
  kCopies,      // rows are parts of one replica
  kSwap,        // rows change replicas in the middle
  kSmallSkew,   // clocks off by less than an interval
  kMinuteSkew,  // clocks off by up to three minutes
};
std::string NameOf(Fault fault);

struct SimulatedCase {
  Process process;
  TimestampMs start = 0;
  TimestampMs end = 0;
  TimestampMs interval = 0;  // the finest of all replicas
  TimestampMs slack = 0;     // the most that a sample may be off in time
  std::vector<Fault> faults;
  std::vector<chunk::Columns> replicas;

  bool Has(Fault fault) const;
};

// The case of a seed: the same everywhere.
SimulatedCase Simulate(std::uint64_t seed);

}  // namespace aevum::store::dedup::testing
