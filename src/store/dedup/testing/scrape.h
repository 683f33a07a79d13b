// A replica that scrapes a process, with everything that may go wrong.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "store/dedup/testing/process.h"
#include "store/dedup/testing/random.h"

namespace aevum::store::dedup::testing {

// How one replica scrapes. Times are its own but for the skew, which is what its clock is off by.
struct ReplicaPlan {
  struct Outage {
    Down down;
    bool marked = false;  // begins with a staleness marker
  };
  TimestampMs interval = 0;
  TimestampMs offset = 0;
  double jitter = 0;        // of times, as a share of the interval, from end to end
  TimestampMs latency = 0;  // the most that a value is read late by
  double misses = 0;        // share of scrapes that fail
  bool markers = false;     // a failed scrape leaves a staleness marker
  TimestampMs skew = 0;
  TimestampMs start = 0;
  TimestampMs end = 0;
  TimestampMs change = kMaxTime;  // when the interval becomes longer or shorter
  double change_factor = 1;
  std::vector<Outage> outages;
};

// Calls `add` for each sample in the order of time: when the process was read, none for a marker.
void Scrape(Random& random, const Process& process, const ReplicaPlan& plan,
            const std::function<void(TimestampMs time, std::optional<TimestampMs> read)>& add);

}  // namespace aevum::store::dedup::testing
