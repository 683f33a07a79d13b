// What all queues of a compactor share: options, the bucket, what is told of the work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "block/fetcher.h"
#include "block/filters.h"
#include "block/marks.h"
#include "block/tombstones.h"
#include "block/upload.h"
#include "compact/leases.h"
#include "compact/metrics.h"
#include "compact/problems.h"
#include "compact/scratch_space.h"
#include "compaction/downsample.h"
#include "compaction/merge.h"
#include "compaction/planner.h"
#include "compaction/retention.h"
#include "model/relabel.h"
#include "objstore/bucket.h"

namespace aevum::compact {

using compaction::MetaPointer;

// Notes what the labels say by which replicas differ, before they are taken off.
class ReplicaNotes final : public block::MetaFilter {
 public:
  // By block; blocks without any of the labels are not in it.
  using Replicas = std::map<model::Ulid, std::string>;

  explicit ReplicaNotes(std::vector<std::string> labels) : labels_(std::move(labels)) {}
  Status Apply(const Context& context, block::FetchView& view) override;
  // Of the last fetch. Never null.
  std::shared_ptr<const Replicas> replicas() const { return replicas_.Get(); }

 private:
  const std::vector<std::string> labels_;
  Snapshot<Replicas> replicas_{std::make_shared<const Replicas>()};
};

// The values of the flags.
struct CompactorOptions {
  std::string data_dir = "./data";
  block::Discovery discovery = block::Discovery::kConcurrent;
  std::size_t meta_fetch_concurrency = 32;
  std::size_t files_concurrency = 1;  // of an upload
  std::size_t concurrency = 1;        // groups
  std::size_t downsample_concurrency = 1;
  std::uint64_t scratch_size_bytes = 0;  // 0: no limit
  Nanoseconds wait_interval = std::chrono::minutes(5);
  Nanoseconds cleanup_interval = std::chrono::minutes(5);   // 0: not beside the passes
  Nanoseconds progress_interval = std::chrono::minutes(5);  // 0: never
  Nanoseconds view_interval = std::chrono::minutes(1);      // of the global view
  Nanoseconds view_timeout = std::chrono::minutes(5);
  Nanoseconds consistency_delay = std::chrono::minutes(30);
  Nanoseconds delete_delay = std::chrono::hours(48);
  // Downsampling and marks are filled in from the flags and what is in the bucket.
  compaction::RetentionPolicy retention;
  bool downsampling = true;
  bool vertical = false;
  std::vector<std::string> replica_labels;
  compaction::MergeFunction function = compaction::MergeFunction::kOneToOne;
  std::size_t levels = 5;  // of compaction::kLevelRanges
  std::int64_t max_index_bytes = 64LL << 30;
  bool halt_on_error = false;
  block::HashFunction hash = block::HashFunction::kNone;
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  TimeOrDuration max_time = *TimeOrDuration::Parse("9999-12-31T23:59:59Z");
  model::Relabeler selector;
  LeaseOptions leases;
};

// The work on the blocks themselves. Tests that are about the bucket put in their own.
struct BlockWork {
  std::function<StatusOr<compaction::MergeResult>(
      const Context&, std::vector<compaction::MergeInput>, const compaction::MergeOptions&,
      const std::string& directory)>
      merge;
  std::function<StatusOr<compaction::DownsampledBlock>(
      const Context&, const block::Meta&, const compaction::BlockPlace&, std::int64_t resolution_ms,
      const compaction::DownsampleOptions&, const std::string& directory)>
      downsample;

  // That of `compaction`.
  static BlockWork Real();
};

// The blocks to work with at one moment. Those that are marked for deletion are not among them, nor
// do they count as copies of others.
struct BlockView {
  std::shared_ptr<const block::FetchedBlocks> fetched;
  std::vector<model::Ulid> duplicates;
  std::shared_ptr<const block::DeletionMarkFilter::Marks> deletion_marks;
  std::set<model::Ulid> no_compact;
  std::set<model::Ulid> no_downsample;
  std::shared_ptr<const ReplicaNotes::Replicas> replicas;
  // What merges leave out.
  std::shared_ptr<const block::Tombstones> tombstones;
  TimestampMs at_ms = 0;
};

// What the meta.json of blocks says of their bytes: outputs take no more than inputs did.
std::uint64_t SizeOf(const std::vector<MetaPointer>& blocks);

// Thread-safe.
class Workplace {
 public:
  Workplace(CompactorOptions compactor_options, std::shared_ptr<objstore::Bucket> to,
            BlockWork block_work, Logger to_log, prometheus::Registry& registry, const Clock& time);

  const CompactorOptions options;
  const std::shared_ptr<objstore::Bucket> bucket;
  const BlockWork work;
  const Logger logger;
  const Clock& clock;
  CompactMetrics metrics;
  Problems problems;
  ScratchSpace scratch;
  Leases leases;

  // Looks at the bucket. Unavailable when some of it could not be seen: then nothing is planned.
  StatusOr<std::shared_ptr<const BlockView>> Look(const Context& context);
  // As Look, but the last view does when it is of the last half minute, and, with kUnchanged, this
  // worker changed nothing since: queues that look at the same time share what they see.
  enum class Reuse : std::uint8_t { kUnchanged, kRecent };
  StatusOr<std::shared_ptr<const BlockView>> LookOrReuse(const Context& context, Reuse reuse);
  // Whether blocks of a view still are what they were: there, and not marked for deletion.
  StatusOr<bool> AreLive(const Context& context, const std::vector<MetaPointer>& blocks);
  // The last that Look saw; null before.
  std::shared_ptr<const BlockView> last_view() const { return last_view_.Get(); }

  // This worker changed the bucket by other ways than the methods below: no view is used again.
  void NoteChange() { ++changes_; }
  // Counts the bytes of chunks that one piece of work reads: told how many it has read in all.
  std::function<void(std::uint64_t chunk_bytes)> CountChunkBytes();
  // Uploads a block by `to`.
  Status Upload(const Context& context, objstore::Bucket& to, const std::string& directory,
                const block::Meta& meta);
  // Puts a mark by `to`, counts and logs it.
  Status Mark(const Context& context, objstore::Bucket& to, block::MarkKind kind,
              const model::Ulid& block, std::string_view reason, std::string_view details);

 private:
  StatusOr<std::shared_ptr<const BlockView>> LookLocked(const Context& context)
      AEVUM_REQUIRES(look_mutex_);
  const std::shared_ptr<block::DeletionMarkFilter> deletion_marks_;
  const std::shared_ptr<block::DuplicateFilter> duplicates_;
  const std::shared_ptr<ReplicaNotes> replicas_;
  Mutex look_mutex_;
  block::TombstoneReader tombstones_ AEVUM_GUARDED_BY(look_mutex_);
  block::MetaFetcher fetcher_;
  Snapshot<BlockView> last_view_;
  // Changes of this worker, and how many there were when the last view was begun.
  std::atomic<std::uint64_t> changes_ = 0;
  std::uint64_t seen_changes_ AEVUM_GUARDED_BY(look_mutex_) = 0;
};

}  // namespace aevum::compact
