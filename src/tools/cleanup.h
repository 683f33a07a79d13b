// `tools bucket cleanup`: one run of what the compactor cleans up all the time.
#pragma once

#include <cstddef>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/status.h"
#include "model/relabel.h"
#include "objstore/bucket.h"

namespace prometheus {
class Registry;
}

namespace aevum::tools {

struct CleanupOptions {
  model::Relabeler selector;  // of blocks; what is left of an upload has no labels
  Nanoseconds delete_delay = std::chrono::hours(48);
  Nanoseconds consistency_delay = std::chrono::minutes(30);
  std::size_t concurrency = 20;
};

// Deletes blocks that are marked for deletion for longer than the delay, and uploads that were
// given up. Unavailable when the bucket could not be looked at as a whole, or something could not
// be deleted: the log says what.
Status CleanUp(const Context& context, objstore::Bucket& bucket, const CleanupOptions& options,
               const Logger& logger, prometheus::Registry& metrics,
               const Clock& clock = Clock::System());

}  // namespace aevum::tools
