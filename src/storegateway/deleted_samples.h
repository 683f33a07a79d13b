// What the tombstones of a bucket hide of the series of a block.
#pragma once

#include <memory>
#include <vector>

#include "block/meta.h"
#include "block/tombstones.h"
#include "store/store.h"

namespace aevum::storegateway {

// Those that may hide something of a block, by its times and external labels; of their matchers
// only what the external labels do not decide. An external label hides a label of the series.
std::vector<block::Tombstone> TombstonesOf(const block::Tombstones& tombstones,
                                           const block::Meta& meta);

// Leaves out the samples that tombstones of the block hide, and series without any other. Chunks
// wholly inside the times are dropped, others encoded anew without these samples; of aggregate
// chunks the windows go that touch the times. Series that come without chunks are left as they are.
// `resolution_ms` is that of the block. Labels are those of the series before any is taken away.
// Returns the stream itself when there is no tombstone. Corruption when a chunk is not well formed.
std::unique_ptr<store::SeriesStream> HideDeleted(std::unique_ptr<store::SeriesStream> stream,
                                                 std::vector<block::Tombstone> tombstones,
                                                 std::int64_t resolution_ms);

}  // namespace aevum::storegateway
