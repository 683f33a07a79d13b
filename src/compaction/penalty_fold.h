// Thanos's deduplication of replicas, chunk after chunk.
#pragma once

#include <cstddef>

#include "base/clock.h"
#include "chunk/chunk.h"

namespace aevum::compaction {

// Merges chunks as Thanos's compactor does: each with what came out of those before it, by the rule
// of store::dedup::MergePenalty. Of that the rule looks only at the end where the chunk begins, so
// a chunk costs about its own samples, however many came before. Thread-compatible.
class PenaltyFold {
 public:
  // `first` is what the first chunk holds.
  explicit PenaltyFold(chunk::Columns first) : merged_(std::move(first)) {}

  // Chunks come in the order of their first samples.
  void Add(const chunk::Columns& samples);
  chunk::Columns Take() && { return std::move(merged_); }

 private:
  void Settle(const std::vector<TimestampMs>& times, TimestampMs next);

  chunk::Columns merged_;
  // So many samples of the only lane can't be changed by chunks that begin at `farthest_` or later.
  std::size_t settled_ = 0;
  TimestampMs farthest_ = kMinTime;
};

}  // namespace aevum::compaction
