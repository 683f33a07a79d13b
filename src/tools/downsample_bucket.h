// `tools bucket downsample`: makes the coarse blocks that a bucket still lacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "block/fetcher.h"
#include "block/upload.h"
#include "compaction/downsample_choice.h"
#include "model/ulid.h"
#include "objstore/bucket.h"
#include "tools/progress.h"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::tools {

struct DownsampleBucketOptions {
  // New blocks are made in "<data_directory>/downsample", which is empty before and after a run.
  std::string data_directory = "./data";
  std::size_t concurrency = 1;       // blocks at once
  std::size_t file_concurrency = 1;  // files of a block that are uploaded at once
  block::HashFunction hash = block::HashFunction::kNone;
};

// Makes blocks of 5 minutes, then of an hour. A block is read by ranges, nothing of it is
// downloaded; what is made lies on the disk until it is uploaded. Thread-compatible; borrows all
// but options and logger.
class BucketDownsampler {
 public:
  BucketDownsampler(DownsampleBucketOptions options, objstore::Bucket& bucket,
                    ProgressBar& progress, Logger logger, prometheus::Registry& metrics,
                    const Clock& clock = Clock::System());

  // One look at the bucket and what it leads to, and another, for what the first made possible.
  // Blocks that are marked for deletion, or not to be downsampled, are left alone. A block that
  // can't be read or uploaded does not hold up the others; the result is then Unavailable and the
  // log names it. Unavailable too when the metas of some blocks can't be read: coarse blocks may
  // exist that are not seen.
  Status Run(const Context& context);
  // Runs each `interval`, also after one that failed, until the context ends.
  void RunAgainAndAgain(const Context& context, Nanoseconds interval);

 private:
  // By the resolution that is made.
  struct Metrics {
    prometheus::Counter* blocks = nullptr;
    prometheus::Counter* failures = nullptr;
    prometheus::Histogram* seconds = nullptr;
  };

  // Sets how many blocks failed. What has failed once is not tried in the second pass.
  Status RunPass(const Context& context, std::set<model::Ulid>* failed);
  // Those of the blocks that bear the mark.
  StatusOr<std::set<model::Ulid>> MarkedBlocks(const Context& context, const block::MetaMap& metas);
  Status Downsample(const Context& context, const compaction::DownsampleTask& task,
                    const std::string& directory);

  const DownsampleBucketOptions options_;
  objstore::Bucket& bucket_;
  ProgressBar& progress_;
  const Logger logger_;
  const Clock& clock_;
  block::MetaFetcher fetcher_;
  std::map<std::int64_t, Metrics> metrics_;
  ThreadPool pool_;  // the caller works too
};

}  // namespace aevum::tools
