// An index cache in memory that lets go of what was not used for longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cache/lru.h"
#include "storegateway/index_cache.h"
#include "storegateway/index_cache_metrics.h"

namespace prometheus {
class Registry;
}

namespace aevum::storegateway {

// Keeps postings as they stand and series in pages, which takes fewer items and look-ups than
// single series. Bounded as cache::Lru is. Metrics: thanos_store_index_cache_*. Thread-safe.
class MemoryIndexCache final : public IndexCache {
 public:
  MemoryIndexCache(cache::LruLimits limits, prometheus::Registry& metrics);

  CachedItems FetchPostings(const Context& context, std::string_view block,
                            std::span<const tsdb::PostingsKey> keys) override;
  void StorePostings(const Context& context, std::string_view block, const tsdb::PostingsKey& key,
                     const SharedBytes& section) override;
  SharedBytes FetchExpanded(const Context& context, std::string_view block,
                            const model::Matchers& matchers) override;
  void StoreExpanded(const Context& context, std::string_view block,
                     const model::Matchers& matchers, std::string encoded) override;
  SeriesUnit series_unit() const override { return SeriesUnit::kPages; }
  CachedItems FetchSeries(const Context& context, std::string_view block,
                          std::span<const std::uint64_t> numbers) override;
  void StoreSeries(const Context& context, std::string_view block, std::uint64_t number,
                   const SharedBytes& bytes) override;

  std::size_t size_bytes() const { return items_.size_bytes(); }

 private:
  // `key_of` gives the key of the item at a position.
  template <typename KeyOf>
  CachedItems Fetch(const Context& context, IndexItem kind, std::size_t count, const KeyOf& key_of);
  void Store(const Context& context, IndexItem kind, std::string key, std::string_view bytes);

  IndexCacheMetrics metrics_;
  cache::Lru items_;
};

}  // namespace aevum::storegateway
