// `tools bucket replicate`: copies blocks from one bucket to another, once or again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/fetcher.h"
#include "model/matcher.h"
#include "model/ulid.h"
#include "objstore/bucket.h"
#include "tools/progress.h"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::tools {

struct ReplicateOptions {
  model::Matchers matchers;  // of external labels
  std::set<std::int64_t> resolutions_ms = {0, 300'000, 3'600'000};
  std::set<std::int64_t> compaction_levels = {1, 2, 3, 4};
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  TimeOrDuration max_time = *TimeOrDuration::Parse("9999-12-31T23:59:59Z");
  // Exactly these blocks, whatever the options above say; empty: all that they choose.
  std::set<model::Ulid> ids;
  bool ignore_marked_for_deletion = false;
};

// Copies the blocks that the destination has not, from the oldest. Thread-compatible; borrows all
// but options and logger.
class Replicator {
 public:
  Replicator(ReplicateOptions options, objstore::Bucket& from, objstore::Bucket& to,
             ProgressBar& progress, Logger logger, prometheus::Registry& metrics,
             const Clock& clock = Clock::System());

  // One look at the source and what it leads to. A block that can't be copied does not hold up
  // those after it; the result is then Unavailable and the log names it. NotFound when one of the
  // ids is not there.
  Status Run(const Context& context);
  // Runs each `interval`, also after one that failed, until the context ends.
  void RunAgainAndAgain(const Context& context, Nanoseconds interval);

 private:
  Status Replicate(const Context& context);
  bool IsWanted(const block::Meta& meta) const;

  const ReplicateOptions options_;
  objstore::Bucket& from_;
  objstore::Bucket& to_;
  ProgressBar& progress_;
  const Logger logger_;
  block::MetaFetcher fetcher_;
  prometheus::Counter& runs_ok_;
  prometheus::Counter& runs_failed_;
  prometheus::Histogram& seconds_ok_;
  prometheus::Histogram& seconds_failed_;
  prometheus::Counter& already_there_;
  prometheus::Counter& blocks_;
  prometheus::Counter& objects_;
};

}  // namespace aevum::tools
