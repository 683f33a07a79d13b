// The ways of making one series of the replicas of a simulated case, side by side.
#pragma once

#include "chunk/chunk.h"
#include "store/dedup/adaptive.h"
#include "store/dedup/testing/measure.h"
#include "store/dedup/testing/simulator.h"

namespace aevum::store::dedup::testing {

chunk::Columns Adaptive(const SimulatedCase& c, SeriesType type);

// kUnrolled: with the resets of each replica unrolled before, as Thanos does it for rate.
enum class PenaltyPath : std::uint8_t { kRaw, kUnrolled };
chunk::Columns Penalty(const SimulatedCase& c, PenaltyPath path);

chunk::Columns UnionOf(const SimulatedCase& c);

// Of the replica with the fewest missing windows and then the least error, known afterwards.
Measure BestSingle(const SimulatedCase& c);

}  // namespace aevum::store::dedup::testing
