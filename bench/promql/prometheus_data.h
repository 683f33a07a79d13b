// The data of Prometheus's benchmarks of PromQL.
#pragma once

#include <cstdint>

#include "chunk_storage.h"

namespace aevum::bench {

// A sample every 10 s for a day, and then for as many steps as a query may have.
inline constexpr std::int64_t kPrometheusIntervalMs = 10'000;
inline constexpr int kSamplesOfDay = 8640;

inline constexpr int kRangeSamples = kSamplesOfDay + 10'000;
// Gauges a_X and b_X and classic histograms h_X with 11 buckets, where X is one, ten or hundred
// and tells the number of values of the label l. `sparse` has a fiftieth of the time in each of its
// series.
ChunkStorage& RangeQueryData();

inline constexpr int kJoinSteps = 5000;
inline constexpr int kJoinSamples = kSamplesOfDay + kJoinSteps;
// 1,000 instances, named as UUIDs, with two metrics each that join on all labels. 58 of the names
// start with 0.
ChunkStorage& JoinQueryData();

// 100 series target_info and three counters of one of their instances, a sample every 2 s for two
// hours.
ChunkStorage& InfoData();

}  // namespace aevum::bench
