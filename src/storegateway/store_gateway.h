// The store gateway: the blocks of a bucket as a store, kept up to date.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "block/fetcher.h"
#include "objstore/bucket.h"
#include "storegateway/bucket_store.h"
#include "storegateway/memory_index_cache.h"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace aevum::storegateway {

struct StoreGatewayOptions {
  std::string data_dir = "./data";
  // False: index-headers are made anew at each start.
  bool keep_index_headers = true;
  MemoryIndexCacheOptions index_cache;
  BucketStoreOptions store;
  block::FetcherOptions fetcher;
  Nanoseconds sync_interval = std::chrono::minutes(15);
  // Index-headers that no request used for so long leave memory; 0: they stay.
  Nanoseconds header_idle_timeout{0};
  // Which data is served.
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  TimeOrDuration max_time = *TimeOrDuration::Parse("9999-12-31T23:59:59Z");
};

// Ready as soon as the metas of the bucket are known: an index-header is opened, and made when it
// is not on disk, by the first request that needs its block. Constructor, Start, Stop. Thread-safe
// after Start.
class StoreGateway {
 public:
  StoreGateway(StoreGatewayOptions options, std::shared_ptr<objstore::Bucket> bucket, Logger logger,
               prometheus::Registry& metrics, const Clock& clock = Clock::System());
  ~StoreGateway();
  StoreGateway(const StoreGateway&) = delete;
  StoreGateway& operator=(const StoreGateway&) = delete;

  // Looks at the bucket on a thread of its own, at once and then each interval. `on_synced` is told
  // the result of each look; the first that is OK makes the gateway ready.
  void Start(std::function<void(const Status&)> on_synced);
  // Idempotent. Streams that are open must be gone before the gateway is.
  void Stop();

  store::Store& store() { return store_; }
  // What the last look at the bucket found.
  std::shared_ptr<const block::FetchResult> fetched() const;
  // One look now, by the caller; for tests.
  Status Sync(const Context& context);

 private:
  void Run(const std::function<void(const Status&)>& on_synced);
  void SetBlocks(const block::FetchResult& fetched);
  StatusOr<BucketBlock::Tables> OpenHeader(const Context& context, const block::Meta& meta);
  void LetGoOfIdleHeaders();
  void RemoveHeadersOfGoneBlocks(const block::FetchResult& fetched);

  const StoreGatewayOptions options_;
  const std::shared_ptr<objstore::Bucket> bucket_;
  const Logger logger_;
  const Clock& clock_;
  block::Fetcher fetcher_;
  BucketStore store_;
  prometheus::Counter& loads_;
  prometheus::Counter& drops_;
  prometheus::Gauge& loaded_;
  prometheus::Gauge& last_loaded_;

  CancelScope scope_;
  mutable Mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const block::FetchResult> fetched_ AEVUM_GUARDED_BY(mutex_);
  std::map<model::Ulid, std::shared_ptr<BucketBlock>> known_;  // of the syncing thread
  std::thread thread_;
};

}  // namespace aevum::storegateway
