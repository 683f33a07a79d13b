// Which blocks are made coarser, and which are past their retention.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <vector>

#include "base/clock.h"
#include "block/meta.h"
#include "compaction/planner.h"
#include "model/ulid.h"

namespace aevum::compact {

using compaction::MetaPointer;

// Raw, 5 m or 1 h.
bool IsKnownResolution(std::int64_t resolution_ms);

struct DownsampleTask {
  MetaPointer block;
  std::int64_t resolution_ms = 0;  // to be made
};

// Blocks that are long enough, have no mark, and of which not every source is in blocks of the next
// resolution already (contract, "Downsampling"). The newest first.
std::vector<DownsampleTask> ChooseDownsampling(const block::MetaMap& blocks,
                                               const std::set<model::Ulid>& no_downsample);

// How long blocks of each resolution are kept; 0: for ever.
struct Retention {
  std::chrono::milliseconds raw{0};
  std::chrono::milliseconds five_minutes{0};
  std::chrono::milliseconds one_hour{0};

  std::chrono::milliseconds Of(std::int64_t resolution_ms) const;
};

struct ExpiryOptions {
  Retention retention;
  // Whether coarse copies are made at all. If so a block waits for its own.
  bool downsampling = true;
  std::set<model::Ulid> no_downsample;
};

struct Expiry {
  std::vector<MetaPointer> expired;
  // Past their retention, but their coarse copies, which would be kept, do not exist yet.
  std::vector<MetaPointer> waiting;
};
Expiry ChooseExpired(const block::MetaMap& blocks, const ExpiryOptions& options, TimestampMs now);

}  // namespace aevum::compact
