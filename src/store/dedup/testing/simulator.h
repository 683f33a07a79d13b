// Replicas that scrape one process whose every moment is known.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "chunk/chunk.h"
#include "store/dedup/testing/process.h"
#include "store/dedup/testing/scrape.h"

namespace aevum::store::dedup::testing {

// From what cases are drawn.
enum class Population : std::uint8_t {
  // What adaptive was designed on: mostly one or two faults, counters of all rates, rare ones too.
  kDesigned,
  // More faults at once, above all more and longer outages.
  kHard,
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
  kCopies,          // rows are parts of one replica
  kSwap,            // rows change replicas in the middle
  kSmallSkew,       // clocks off by less than an interval
  kMinuteSkew,      // clocks off by up to three minutes
  kIntervalChange,  // of all replicas, in the middle
};
std::string NameOf(Fault fault);

struct SimulatedCase {
  // A scrape that was due, where the finest replica would have it.
  struct Slot {
    TimestampMs from = 0;
    TimestampMs to = 0;  // of the next one
  };
  // A range that a query asks for.
  struct Window {
    TimestampMs from = 0;  // left-open
    TimestampMs end = 0;
    double due = 0;      // scrapes while the process was up
    double value = 0;    // of a counter what it counted, of a gauge its mean
    double maximum = 0;  // of a gauge
  };
  Process process;
  TimestampMs start = 0;
  TimestampMs end = 0;
  TimestampMs interval = 0;  // the finest of all replicas
  TimestampMs slack = 0;     // the most that a sample may be off in time
  std::vector<Fault> faults;
  std::vector<chunk::Columns> replicas;
  std::vector<Slot> slots;
  std::vector<Window> windows;  // in which the process was up long enough for an answer
  // What errors are shares of: of a counter its mean increase over a window, and at least one
  // event; of a gauge its standard deviation.
  double scale = 0;

  bool Has(Fault fault) const;
};

// The case of a seed: the same everywhere.
SimulatedCase Simulate(std::uint64_t seed, Population population);

// For makers of cases, which know the replicas: the samples of one of them; rows that exchange
// what comes after a time; and the slots, windows and scale, from all the rest.
chunk::Columns SamplesOf(Random& random, const Process& process, const ReplicaPlan& plan);
void Swap(TimestampMs at, chunk::Columns* a, chunk::Columns* b);
struct WindowShape {
  TimestampMs range = 0;
  TimestampMs step = 0;
  double least_due = 0;  // scrapes that a window needs
};
void AddTruth(const WindowShape& shape, TimestampMs change, double change_factor, SimulatedCase* c);

}  // namespace aevum::store::dedup::testing
