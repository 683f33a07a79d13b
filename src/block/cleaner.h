// Takes out of a bucket what is of no use any more: blocks whose deletion mark is old enough, and
// uploads that were given up.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/filters.h"
#include "model/ulid.h"
#include "objstore/bucket.h"

namespace aevum::block {

// How old the newest object of an upload must be for it to count as given up.
inline constexpr std::chrono::hours kGivenUpAfter{48};

struct CleaningResult {
  std::size_t deleted = 0;
  std::size_t failed = 0;  // named in the log; another run may succeed
};

// Deletes the blocks that were marked for deletion longer ago than `delay`.
CleaningResult DeleteMarkedBlocks(const Context& context, objstore::Bucket& bucket,
                                  const DeletionMarkFilter::Marks& marks,
                                  std::chrono::milliseconds delay, const Logger& logger,
                                  const Clock& clock = Clock::System());

// Deletes what is left of blocks without a meta.json, `partial` of a fetch: uploads that were given
// up, by the age of their newest object (of the ULID where the store does not tell), and deletions
// that were cut short, once their mark is older than `delay`. Blocks whose meta.json is there and
// can't be read stay: their samples may be whole.
CleaningResult DeleteAbortedUploads(const Context& context, objstore::Bucket& bucket,
                                    const std::map<model::Ulid, Status>& partial,
                                    std::chrono::milliseconds delay, const Logger& logger,
                                    const Clock& clock = Clock::System());

}  // namespace aevum::block
