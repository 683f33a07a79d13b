// `tools bucket rewrite`: blocks of a bucket without some series, or with other labels.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/upload.h"
#include "compaction/deletion.h"
#include "model/relabel.h"
#include "model/ulid.h"
#include "objstore/bucket.h"
#include "tools/progress.h"

namespace aevum::tools {

struct RewriteBucketOptions {
  std::set<model::Ulid> blocks;
  // What a run before this one left in it is removed: directories that are named by a ULID.
  std::string directory;
  bool dry_run = true;
  bool without_labels = false;    // whether blocks without external labels are taken
  bool delete_originals = false;  // marks them once their successor is there
  bool change_log = true;         // "change.log" beside the new block
  block::HashFunction hash = block::HashFunction::kNone;
  std::vector<compaction::Deletion> deletions;
  model::Relabeler relabeler;
  // Told of each change in a dry run. Must not be null.
  std::function<Status(std::string_view line)> report;
};

// Rewrites one block after the other and uploads what changed. The first error ends it; blocks
// before it are done then. InvalidArgument without deletions and rules; FailedPrecondition for a
// block without external labels. Nothing is marked before what replaces it is in the bucket; a
// block of which nothing is left is marked too.
Status RewriteBlocks(const Context& context, objstore::Bucket& bucket,
                     const RewriteBucketOptions& options, ProgressBar& progress,
                     const Logger& logger, const Clock& clock = Clock::System());

}  // namespace aevum::tools
