// The series of a block that a selector matches.
#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/status.h"
#include "model/matcher.h"
#include "net/metrics/bounded_label.h"
#include "storegateway/index_cache.h"
#include "storegateway/lazy_postings.h"
#include "storegateway/measured_postings_codec.h"
#include "tsdb/block_source.h"
#include "tsdb/index_tables.h"

namespace prometheus {
class Counter;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace aevum::storegateway {

// Of the families thanos_bucket_store_lazy_expanded_*, and empty_postings_total. Thread-safe.
class PostingsMetrics {
 public:
  explicit PostingsMetrics(prometheus::Registry& metrics);

  void Expanded(const Context& context, const LazyPostings& lazy, bool empty);
  void Overfetched(std::size_t bytes);

 private:
  prometheus::Counter& lazy_;
  prometheus::Counter& keys_limit_;
  prometheus::Counter& postings_size_;
  prometheus::Counter& lazy_bytes_;
  prometheus::Counter& overfetched_bytes_;
  prometheus::Family<prometheus::Counter>& empty_;
  net::BoundedLabel tenants_;
};

struct ExpandedPostings {
  tsdb::Postings series;
  // What the series have to match still, since the postings of these were not read.
  model::Matchers left;
  // They were in the cache as they are, and nothing was read.
  bool cached = false;
};

// Expands selectors of blocks; keeps what it found in the cache where that spares work. Borrows
// what it is given. Thread-safe.
class PostingsExpander {
 public:
  PostingsExpander(IndexCache& cache, MeasuredPostingsCodec& codec, PostingsMetrics& metrics,
                   LazyPostingsOptions lazy)
      : cache_(cache), codec_(codec), metrics_(metrics), lazy_(lazy) {}

  // One block, in which a series takes `series_bytes`.
  struct Block {
    std::string id;
    const tsdb::IndexTables& tables;
    std::uint64_t series_bytes = 0;
  };
  enum class UseCache : std::uint8_t { kYes, kNo };
  StatusOr<ExpandedPostings> Expand(const Context& context, const Block& block,
                                    tsdb::BlockSource& source, const model::Matchers& matchers,
                                    UseCache use_cache = UseCache::kYes);

 private:
  bool FetchFromCache(const Context& context, const Block& block, const model::Matchers& matchers,
                      ExpandedPostings* expanded);

  IndexCache& cache_;
  MeasuredPostingsCodec& codec_;
  PostingsMetrics& metrics_;
  const LazyPostingsOptions lazy_;
};

}  // namespace aevum::storegateway
