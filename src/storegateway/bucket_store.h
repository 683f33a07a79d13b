// The blocks of a bucket as a store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/memory_budget.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "block/tombstones.h"
#include "objstore/bucket.h"
#include "store/gate.h"
#include "store/store.h"
#include "storegateway/block_set.h"
#include "storegateway/expanded_postings.h"
#include "storegateway/index_cache.h"
#include "storegateway/request_reads.h"
#include "tsdb/series_entry.h"

namespace prometheus {
class Registry;
}

namespace aevum::storegateway {

class StoreMetrics;
struct SharedReads;

struct BucketStoreOptions {
  std::uint64_t downloaded_bytes_limit = 0;  // a request, 0: unlimited
  std::size_t series_batch = 10'000;
  std::uint64_t most_chunk_bytes = 16'000;      // read at once for a chunk
  std::uint64_t index_page_bytes = 32 << 10;    // read at once for a series
  std::uint64_t chunk_pool_bytes = 2ULL << 30;  // of all requests together
  std::size_t max_concurrent = 20;              // Series calls; others wait
  std::size_t threads = 32;                     // that read blocks
  std::uint64_t most_series_bytes = 64 << 10;   // what a series is thought to take
  LazyPostingsOptions lazy_postings;
  // What is behind a cache of chunks; null when there is none.
  std::shared_ptr<objstore::Bucket> origin = nullptr;
  // What is served, whatever the blocks hold; both inclusive. Null: everything.
  std::function<tsdb::TimeRange()> served = nullptr;
};

// Answers from the blocks of the moment: Series as a merge over those that a request needs, read
// side by side. A block that fails is a warning that names it, or with PartialResponse::kAbort the
// end of the request. Requests are charged for what they read before they read it. Must outlive its
// streams. Thread-safe.
class BucketStore final : public store::Store {
 public:
  BucketStore(BucketStoreOptions options, std::shared_ptr<objstore::Bucket> bucket,
              std::shared_ptr<IndexCache> cache, prometheus::Registry& metrics);
  ~BucketStore() override;

  // Replaces the blocks; streams that are open go on with the old ones.
  void SetBlocks(std::shared_ptr<const BlockSet> blocks);
  std::shared_ptr<const BlockSet> blocks() const;
  // Replaces what Series must not show; label requests still give names and values of it.
  void SetTombstones(std::shared_ptr<const block::Tombstones> tombstones);

  StatusOr<std::unique_ptr<store::SeriesStream>> Series(
      const Context& context, const wire::SeriesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override;
  StatusOr<wire::InfoResponse> Info(const Context& context) override;

 private:
  // What a label request asks one block.
  using AskBlock = std::function<StatusOr<std::vector<std::string>>(
      const ChosenBlock& chosen, const tsdb::IndexTables& tables, tsdb::BlockSource& source)>;

  StatusOr<wire::LabelsResponse> AskBlocks(const Context& context,
                                           const std::vector<ChosenBlock>& chosen,
                                           wire::PartialResponse partial_response,
                                           std::int64_t limit, const AskBlock& ask);
  SharedReads ReadsOfRequest();
  // The part of [min_time, max_time] that is served.
  tsdb::TimeRange Served(TimestampMs min_time, TimestampMs max_time) const;

  const BucketStoreOptions options_;
  const std::shared_ptr<objstore::Bucket> bucket_;
  const std::shared_ptr<IndexCache> cache_;
  const std::shared_ptr<MemoryBudget> chunk_pool_;
  const std::unique_ptr<StoreMetrics> metrics_;
  MeasuredPostingsCodec codec_;
  PostingsMetrics postings_metrics_;
  PostingsExpander expander_;
  mutable Mutex mutex_;
  std::shared_ptr<const BlockSet> blocks_ AEVUM_GUARDED_BY(mutex_);
  std::shared_ptr<const block::Tombstones> tombstones_ AEVUM_GUARDED_BY(mutex_);
  store::Gate gate_;
  ThreadPool pool_;
};

}  // namespace aevum::storegateway
