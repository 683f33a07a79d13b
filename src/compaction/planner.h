// Which blocks of a group are merged next.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "block/meta.h"
#include "model/ulid.h"

namespace aevum::compaction {

using MetaPointer = std::shared_ptr<const block::Meta>;

// The lengths of blocks, level by level: 1 h, 2 h, 8 h, 2 d, 14 d.
inline constexpr TimestampMs kLevelRanges[] = {3'600'000, 7'200'000, 28'800'000, 172'800'000,
                                               1'209'600'000};

struct PlanOptions {
  // What blocks are merged to, ascending: a beginning of kLevelRanges.
  std::span<const TimestampMs> ranges = kLevelRanges;
  // Blocks with a no-compact mark: they split ranges, and nothing around them is joined across.
  std::set<model::Ulid> no_compact;
};

// Plans one compaction of blocks that share a group key, which are sorted by min time: overlapping
// blocks first; else blocks that fill a range; else one block of which much is deleted. Sorted by
// min time; empty when there is nothing to do. Equal to what Thanos plans for the same blocks
// (contract, "Compaction levels").
std::vector<MetaPointer> PlanCompaction(std::span<const MetaPointer> group,
                                        const PlanOptions& options);

// Whether a block overlaps the one before it. Blocks are sorted by min time.
bool HaveOverlap(std::span<const MetaPointer> blocks);

// How large the index of a block is, in bytes.
using IndexSize = std::function<StatusOr<std::int64_t>(const block::Meta& meta)>;

// Leaves the blocks with the largest indexes out of a plan until what remains fits: their sum is
// below 85 % of `max_index_bytes`, since indexes grow a little where they are merged. Tells what it
// left out by `left_out`, which it appends to. An error of `size_of` is the result.
StatusOr<std::vector<MetaPointer>> PlanWithinIndexSize(std::span<const MetaPointer> group,
                                                       std::int64_t max_index_bytes,
                                                       const IndexSize& size_of,
                                                       PlanOptions options,
                                                       std::vector<MetaPointer>* left_out);

}  // namespace aevum::compaction
