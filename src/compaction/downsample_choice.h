// Which blocks of a bucket are still to be made coarser.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "block/meta.h"
#include "model/ulid.h"

namespace aevum::compaction {

struct DownsampleTask {
  std::shared_ptr<const block::Meta> meta;  // of the source
  std::int64_t resolution_ms = 0;           // of the block that is to be made
};

// The raw blocks that lack one of 5 minutes and the blocks of 5 minutes that lack one of an hour,
// newest first. A block is long enough (kDownsampleTo5mRange, kDownsampleTo1hRange), bears no mark
// in `no_downsample`, and at least one of its sources is in no block of the resolution that is to
// be made, wherever that lies. Blocks of other resolutions are left alone. What the tasks make may
// give rise to others: ask once more after they are done.
std::vector<DownsampleTask> BlocksToDownsample(const block::MetaMap& metas,
                                               const std::set<model::Ulid>& no_downsample);

}  // namespace aevum::compaction
