// An index cache in memory that lets go of what was not used for longest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "storegateway/index_cache.h"

namespace prometheus {
class Counter;
class Gauge;
class Registry;
}  // namespace prometheus

namespace aevum::storegateway {

struct MemoryIndexCacheOptions {
  std::size_t max_size_bytes = 250 << 20;
  std::size_t max_item_size_bytes = 125 << 20;
};

// Bounded by bytes, keys and bookkeeping included. Split into parts with a lock each, so an item
// may take a share of the whole at most. What is stored is copied, so that a small piece does not
// keep the buffer alive that it was read into. Metrics: thanos_store_index_cache_*. Thread-safe.
class MemoryIndexCache final : public IndexCache {
 public:
  MemoryIndexCache(MemoryIndexCacheOptions options, prometheus::Registry& metrics);

  CachedItems FetchPostings(const Context& context, std::string_view block,
                            std::span<const tsdb::PostingsKey> keys) override;
  void StorePostings(std::string_view block, const tsdb::PostingsKey& key,
                     const SharedBytes& section) override;
  CachedItems FetchPages(const Context& context, std::string_view block,
                         std::span<const std::uint64_t> pages) override;
  void StorePage(std::string_view block, std::uint64_t page, const SharedBytes& bytes) override;

  std::size_t size_bytes() const;

 private:
  enum Kind : std::uint8_t { kPostings, kSeries };
  struct Item {
    std::string key;
    SharedBytes bytes;
    Kind kind = kPostings;
  };
  struct Part {
    mutable Mutex mutex;
    std::list<Item> items AEVUM_GUARDED_BY(mutex);  // last used first
    std::unordered_map<std::string_view, std::list<Item>::iterator> by_key AEVUM_GUARDED_BY(mutex);
    std::size_t size_bytes AEVUM_GUARDED_BY(mutex) = 0;
  };
  struct Metrics {
    prometheus::Counter* requests = nullptr;
    prometheus::Counter* hits = nullptr;
    prometheus::Counter* added = nullptr;
    prometheus::Counter* evicted = nullptr;
    prometheus::Counter* overflowed = nullptr;
    prometheus::Gauge* items = nullptr;
    prometheus::Gauge* size_bytes = nullptr;
    prometheus::Gauge* total_size_bytes = nullptr;
  };

  static constexpr std::size_t kParts = 16;

  Part& PartOf(std::string_view key);
  SharedBytes Fetch(std::string_view key, Kind kind);
  void Store(std::string key, Kind kind, const SharedBytes& bytes);
  void Evict(Part& part) AEVUM_REQUIRES(part.mutex);
  void Count(const Item& item, int sign);

  const MemoryIndexCacheOptions options_;
  std::array<Part, kParts> parts_;
  std::array<Metrics, 2> metrics_;
};

}  // namespace aevum::storegateway
