// `tools bucket retention`: one run of what the compactor's retention does all the time.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string_view>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/status.h"
#include "compaction/retention.h"
#include "model/relabel.h"
#include "objstore/bucket.h"

namespace prometheus {
class Registry;
}

namespace aevum::tools {

struct RetentionOptions {
  // Marks of no downsampling are read from the bucket.
  compaction::RetentionPolicy policy;
  model::Relabeler selector;  // of blocks
  Nanoseconds consistency_delay = std::chrono::minutes(30);
  std::size_t concurrency = 20;
  // Told of each block a line, and of what all of them hold, in place of marking them. May be null.
  std::function<Status(std::string_view line)> report;
};

// Marks blocks for deletion that are past their retention and wait for no coarse copy. Nothing is
// marked when the bucket could not be looked at as a whole, which is Unavailable.
Status ApplyRetention(const Context& context, objstore::Bucket& bucket,
                      const RetentionOptions& options, const Logger& logger,
                      prometheus::Registry& metrics, const Clock& clock = Clock::System());

}  // namespace aevum::tools
