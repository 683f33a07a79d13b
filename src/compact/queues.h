// The queues of a compactor, each a pass over the bucket that is made again and again.
#pragma once

#include <cstddef>

#include "base/context.h"
#include "base/status.h"
#include "compact/workplace.h"

namespace aevum::compact {

struct PassResult {
  std::size_t done = 0;
  // Pieces of work that another worker has which may be dead.
  std::size_t undecided = 0;
  // The first error by time; pieces of work that it did not concern were done all the same.
  Status status;
};

// Compacts each group until nothing is left to plan, some side by side, the newest first.
PassResult CompactGroups(const Context& context, Workplace& place);

// Makes the blocks coarser that are due, some side by side, the newest first.
PassResult DownsampleBlocks(const Context& context, Workplace& place);

// Marks blocks past their retention for deletion, but those whose coarse copies are to come.
PassResult ApplyRetention(const Context& context, Workplace& place);

// Marks blocks for deletion whose sources another has, deletes what was marked long enough ago, and
// uploads that were given up.
PassResult Clean(const Context& context, Workplace& place);

// Counts what lies ahead of the queues, for the metrics.
Status CountTodo(const Context& context, Workplace& place);

}  // namespace aevum::compact
