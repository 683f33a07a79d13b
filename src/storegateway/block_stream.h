// The series of one block in a bucket as a stream.
#pragma once

#include <memory>

#include "block/tombstones.h"
#include "objstore/bucket.h"
#include "store/store.h"
#include "storegateway/block_set.h"
#include "storegateway/bucket_source.h"
#include "storegateway/expanded_postings.h"
#include "storegateway/index_cache.h"
#include "storegateway/request_reads.h"

namespace aevum::storegateway {

// What the streams of one request share.
struct SharedReads {
  std::shared_ptr<objstore::Bucket> bucket;
  // What is behind a cache of chunks; null when there is none.
  std::shared_ptr<objstore::Bucket> origin = nullptr;
  std::shared_ptr<IndexCache> cache;
  PostingsExpander* expander = nullptr;         // outlives the streams
  PostingsMetrics* postings_metrics = nullptr;  // as above
  std::shared_ptr<RequestReads> reads = nullptr;
  std::shared_ptr<MemoryBudget> chunk_pool = nullptr;
  std::uint64_t most_chunk_bytes = 0;
  std::uint64_t page_bytes = 0;
  std::uint64_t most_series_bytes = 0;  // what a series may take
  std::size_t series_batch = 0;
  // Samples that must not be shown; null: none.
  std::shared_ptr<const block::Tombstones> tombstones = nullptr;
};

// For one block, whose tables must outlive the source.
BucketSource MakeSource(const SharedReads& shared, const BucketBlock& block,
                        const tsdb::IndexTables& tables);

// Nothing is read before the first Next(). Errors name the block.
std::unique_ptr<store::SeriesStream> StreamBlock(const Context& context,
                                                 const wire::SeriesRequest& request,
                                                 ChosenBlock chosen, SharedReads shared);

}  // namespace aevum::storegateway
