// `tools bucket web`: keeps a view of the blocks of a bucket for the API and the pages.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "block/blocks_api.h"
#include "block/fetcher.h"
#include "model/relabel.h"
#include "objstore/bucket.h"

namespace prometheus {
class Registry;
}

namespace aevum::tools {

struct BucketViewerOptions {
  Nanoseconds refresh = std::chrono::minutes(30);
  Nanoseconds timeout = std::chrono::minutes(5);  // of one look
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  TimeOrDuration max_time = *TimeOrDuration::Parse("9999-12-31T23:59:59Z");
  model::Relabeler selector;
};

// Looks at the bucket at once and then each interval, on a thread of its own. A look that fails
// leaves the view of the one before it, with the error beside it. Constructor, Start, Stop.
// Thread-safe; borrows the bucket.
class BucketViewer {
 public:
  BucketViewer(BucketViewerOptions options, objstore::Bucket& bucket, Logger logger,
               prometheus::Registry& metrics, const Clock& clock = Clock::System());
  ~BucketViewer();
  BucketViewer(const BucketViewer&) = delete;
  BucketViewer& operator=(const BucketViewer&) = delete;

  void Start();
  // Idempotent.
  void Stop();

  block::BlocksView view() const;
  // One look now, in the caller's thread; not while Start's thread runs.
  void Refresh(const Context& context);

 private:
  const BucketViewerOptions options_;
  const Logger logger_;
  const Clock& clock_;
  block::MetaFetcher fetcher_;
  CancelScope scope_{Context::Background()};
  mutable Mutex mutex_;
  block::BlocksView view_ AEVUM_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace aevum::tools
