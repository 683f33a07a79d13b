// An index cache in memcached or Redis that Thanos store gateways may share.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache.h"
#include "storegateway/index_cache.h"
#include "storegateway/index_cache_metrics.h"
#include "storegateway/measured_postings_codec.h"

namespace prometheus {
class Registry;
}

namespace aevum::storegateway {

// The keys of storegateway/index_cache_keys.h, and the values of Thanos: postings through the
// codec, series one by one, without length and checksum. Postings that do not decode, or are not as
// many as the index says, are as if they were not there. Thread-safe.
class RemoteIndexCache final : public IndexCache {
 public:
  RemoteIndexCache(std::shared_ptr<cache::Cache> cache, std::chrono::nanoseconds ttl,
                   prometheus::Registry& metrics);

  CachedItems FetchPostings(const Context& context, std::string_view block,
                            std::span<const tsdb::PostingsKey> keys) override;
  void StorePostings(const Context& context, std::string_view block, const tsdb::PostingsKey& key,
                     const SharedBytes& section) override;
  SharedBytes FetchExpanded(const Context& context, std::string_view block,
                            const model::Matchers& matchers) override;
  void StoreExpanded(const Context& context, std::string_view block,
                     const model::Matchers& matchers, std::string encoded) override;
  SeriesUnit series_unit() const override { return SeriesUnit::kEntries; }
  CachedItems FetchSeries(const Context& context, std::string_view block,
                          std::span<const std::uint64_t> numbers) override;
  void StoreSeries(const Context& context, std::string_view block, std::uint64_t number,
                   const SharedBytes& bytes) override;

 private:
  CachedItems Fetch(const Context& context, IndexItem kind, const std::vector<std::string>& keys);

  const std::shared_ptr<cache::Cache> cache_;
  const std::chrono::nanoseconds ttl_;
  IndexCacheMetrics metrics_;
  MeasuredPostingsCodec codec_;
};

}  // namespace aevum::storegateway
