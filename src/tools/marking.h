// `tools bucket mark`: puts marks beside blocks, and takes them away.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/marks.h"
#include "model/ulid.h"
#include "objstore/bucket.h"

namespace aevum::tools {

struct MarkingOptions {
  std::vector<model::Ulid> blocks;
  block::MarkKind kind = block::MarkKind::kDeletion;
  std::string details;
  enum class Action : std::uint8_t { kPut, kRemove } action = Action::kPut;
};

// A mark that is there stays as it is, with a warning; removing one that is not there is no error.
// NotFound when the bucket has nothing of a block; the blocks before it are marked then.
Status MarkBlocks(const Context& context, objstore::Bucket& bucket, const MarkingOptions& options,
                  const Logger& logger, const Clock& clock = Clock::System());

}  // namespace aevum::tools
