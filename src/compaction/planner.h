// Which blocks of a group are merged next.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "base/clock.h"
#include "block/meta.h"
#include "model/ulid.h"

namespace aevum::compaction {

using MetaPointer = std::shared_ptr<const block::Meta>;

// The lengths of blocks, level by level: 2 h, 8 h, 2 d, 14 d.
inline constexpr TimestampMs kLevelRanges[] = {7'200'000, 28'800'000, 172'800'000, 1'209'600'000};

struct PlanOptions {
  // The first of kLevelRanges that are used (--debug.max-compaction-level).
  std::size_t levels = 4;
  // Whether overlapping blocks are merged; otherwise they are what `overlap` of Plan says.
  bool vertical = false;
  // Blocks with a no-compact mark: they split ranges, and nothing around them is joined across.
  const std::set<model::Ulid>* no_compact = nullptr;
};

struct Plan {
  // Sorted by min time; empty: nothing to do.
  std::vector<MetaPointer> blocks;
  // The blocks overlap in time.
  bool vertical = false;
  // Blocks that overlap although that is not allowed, sorted by min time; nothing is planned then
  // for them, and planning goes on with the others.
  std::vector<MetaPointer> overlap;
};

// Plans one compaction of blocks that share a group key. Equal to what Thanos plans for the same
// blocks (contract, "Compaction levels").
Plan PlanCompaction(std::span<const MetaPointer> group, const PlanOptions& options);

}  // namespace aevum::compaction
