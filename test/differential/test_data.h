// Series made at random that hold what PromQL treats in a special way.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "samples.h"

namespace aevum::promql::differential {

// All samples lie in [kDataStart, kDataEnd).
inline constexpr TimestampMs kDataStart = 1'700'000'000'000;
inline constexpr TimestampMs kDataEnd = kDataStart + 3'600'000;

// Counters with resets, gauges with NaN and infinities, staleness markers, gaps longer than the
// lookback, classic histograms with flaws, several intervals of scraping, series that come late or
// go early. The same for the same seed. Sorted by labels.
Data MakeTestData(std::uint64_t seed);

}  // namespace aevum::promql::differential
