// How the replicas of a case scrape, drawn as adaptive was designed on.
#pragma once

#include <cstdint>
#include <vector>

#include "store/dedup/testing/simulator.h"

namespace aevum::store::dedup::testing {

// Times, faults and plans; what is scraped comes from elsewhere.
struct Design {
  TimestampMs base = 0;  // the interval that most replicas have
  TimestampMs start = 0;
  TimestampMs end = 0;
  TimestampMs change = kMaxTime;  // when all intervals change
  double change_factor = 1;
  std::vector<Fault> faults;
  std::vector<ReplicaPlan> plans;

  bool Has(Fault fault) const;
  // The finest interval of a replica.
  TimestampMs finest() const;
  // The most that the time of a sample may be off.
  TimestampMs slack() const;
};

// 5 s to 300 s; mostly 15, 30 and 60.
TimestampMs DrawInterval(Random& random);

Design DrawDesign(Random& random, TimestampMs base, TimestampMs intervals);

// The case of a seed in Population::kDesigned.
SimulatedCase SimulateDesigned(std::uint64_t seed);

}  // namespace aevum::store::dedup::testing
