// The store gateway: the blocks of a bucket as a store, kept up to date.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "block/fetcher.h"
#include "block/index_header.h"
#include "block/meta_reader.h"
#include "block/tombstones.h"
#include "model/relabel.h"
#include "objstore/bucket.h"
#include "storegateway/bucket_store.h"
#include "storegateway/index_cache.h"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace aevum::storegateway {

// The values of the flags.
struct StoreGatewayOptions {
  std::string data_dir = "./data";
  BucketStoreOptions store;
  block::Discovery discovery = block::Discovery::kConcurrent;
  std::size_t meta_fetch_concurrency = 32;
  Nanoseconds sync_interval = std::chrono::minutes(15);
  Nanoseconds consistency_delay{0};
  Nanoseconds ignore_deletion_marks_delay = std::chrono::hours(24);
  // The index-headers of new blocks are made in the background, the newest block first, and not by
  // the first request that needs them.
  bool make_headers_early = false;
  // Index-headers that no request used for so long leave memory; 0: they stay.
  Nanoseconds header_idle_timeout{0};
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  TimeOrDuration max_time = *TimeOrDuration::Parse("9999-12-31T23:59:59Z");
  model::Relabeler selector;
  bool skip_parquet_migrated = false;
};

// Ready as soon as the metas of the bucket are known: an index-header is opened, and made when it
// is not on disk, by the first request that needs its block, unless it was made early. Constructor,
// Start, Stop. Thread-safe after Start.
class StoreGateway {
 public:
  StoreGateway(StoreGatewayOptions options, std::shared_ptr<objstore::Bucket> bucket,
               std::shared_ptr<IndexCache> index_cache, Logger logger,
               std::shared_ptr<prometheus::Registry> metrics, const Clock& clock = Clock::System());
  ~StoreGateway();
  StoreGateway(const StoreGateway&) = delete;
  StoreGateway& operator=(const StoreGateway&) = delete;

  // Looks at the bucket on a thread of its own, at once and then each interval. `on_synced` is told
  // the result of each look; the first that is OK makes the gateway ready.
  void Start(std::function<void(const Status&)> on_synced);
  // Idempotent. Streams that are open must be gone before the gateway is.
  void Stop();

  store::Store& store() { return store_; }
  // The metas of the blocks that are served, and when they were last looked for; null before.
  struct Loaded {
    std::shared_ptr<const block::FetchedBlocks> blocks;
    TimestampMs at_ms = 0;
  };
  Loaded loaded() const;
  // One look now, in the caller's thread; not while Start's thread runs.
  Status Sync(const Context& context);

 private:
  void Run(const std::function<void(const Status&)>& on_synced);
  // False when the gateway stops.
  bool Sleep(Nanoseconds duration);
  Status SyncTombstones(const Context& context);
  void SetBlocks(const block::FetchedBlocks& fetched);
  StatusOr<BucketBlock::Tables> OpenHeader(const Context& context, const block::Meta& meta);
  void LetGoOfIdleHeaders();
  // The body of header_thread_.
  void MakeHeaders();

  const StoreGatewayOptions options_;
  const std::shared_ptr<objstore::Bucket> bucket_;
  const Logger logger_;
  const Clock& clock_;
  const std::shared_ptr<prometheus::Registry> metrics_;
  block::MetaFetcher fetcher_;
  block::IndexHeaders headers_;
  block::TombstoneReader tombstones_;  // of the syncing thread
  bool knows_tombstones_ = false;      // as above
  BucketStore store_;
  prometheus::Counter& block_loads_;
  prometheus::Counter& block_drops_;
  prometheus::Gauge& blocks_loaded_;
  prometheus::Gauge& last_loaded_;
  prometheus::Counter& header_loads_;
  prometheus::Counter& header_load_failures_;
  prometheus::Counter& header_unloads_;

  CancelScope scope_{Context::Background()};
  mutable Mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  Loaded loaded_ AEVUM_GUARDED_BY(mutex_);
  std::map<model::Ulid, std::shared_ptr<BucketBlock>> known_;  // of the syncing thread
  // Blocks whose index-headers are to be made early, the next one last.
  std::vector<std::shared_ptr<BucketBlock>> to_make_ AEVUM_GUARDED_BY(mutex_);
  std::thread thread_;
  std::thread header_thread_;
};

}  // namespace aevum::storegateway
