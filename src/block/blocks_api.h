// The HTTP API about the blocks of a bucket, which store gateway, compactor and bucket viewer
// share.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/fetcher.h"
#include "net/api/routes.h"
#include "objstore/bucket.h"

namespace aevum::block {

// What the last look at the bucket found.
struct BlocksView {
  std::shared_ptr<const FetchedBlocks> blocks;  // null: nobody looked yet
  TimestampMs refreshed_ms = 0;
  Status status;  // of the last look; `blocks` may be of one before
};

struct BlocksApiOptions {
  // Label by which pages group blocks; "": all labels.
  std::string label;
  bool disable_admin_operations = false;
  // What a component works with, and what is in the bucket. An empty function is a view that is
  // never filled. Called by several threads.
  std::function<BlocksView()> loaded = nullptr;
  std::function<BlocksView()> global = nullptr;
};

// Adds to `routes`:
//
//     GET  /api/v1/blocks?view=loaded   {label, blocks: [meta.json...], refreshedAt, err}
//     GET  /api/v1/blocks/marks?id=     {marks: [{marker, time, details, reason}...]}
//     POST /api/v1/blocks/mark          id, action=DELETION|NO_COMPACTION, detail; answers 204
//
// Marks are read from and put into the bucket, which must outlive the server. Errors of the latter
// are 400. Reading is ours: `marker` is the name of the file, `time` in seconds since 1970.
void AddBlocksRoutes(net::ApiRoutes& routes, BlocksApiOptions options, objstore::Bucket& bucket,
                     Logger logger, const Clock& clock = Clock::System());

}  // namespace aevum::block
