#include "storegateway/memory_index_cache.h"

#include <functional>
#include <utility>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace aevum::storegateway {
namespace {

// List and map nodes, the control block of the bytes, and headers of their allocations.
constexpr std::size_t kBookkeepingBytes = 200;

std::size_t CostOf(std::string_view key, std::size_t size) {
  return key.size() + size + kBookkeepingBytes;
}

std::string PostingsKeyText(std::string_view block, const tsdb::PostingsKey& key) {
  return fmt::format("P{}{}\xff{}", block, key.name, key.value);
}

std::string PageKeyText(std::string_view block, std::uint64_t page) {
  return fmt::format("S{}{}", block, page);
}

prometheus::Counter& CounterOf(prometheus::Registry& metrics, const char* name, const char* help,
                               const char* kind) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(metrics).Add(
      {{"item_type", kind}});
}

prometheus::Gauge& GaugeOf(prometheus::Registry& metrics, const char* name, const char* help,
                           const char* kind) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(metrics).Add(
      {{"item_type", kind}});
}

}  // namespace

MemoryIndexCache::MemoryIndexCache(MemoryIndexCacheOptions options, prometheus::Registry& metrics)
    : options_(options) {
  const char* const kinds[] = {"Postings", "Series"};
  for (const Kind kind : {kPostings, kSeries}) {
    const char* name = kinds[kind];
    metrics_[kind] = {
        .requests = &CounterOf(metrics, "thanos_store_index_cache_requests_total",
                               "Items of indexes that were looked for in the cache.", name),
        .hits = &CounterOf(metrics, "thanos_store_index_cache_hits_total",
                           "Items of indexes that were in the cache.", name),
        .added = &CounterOf(metrics, "thanos_store_index_cache_items_added_total",
                            "Items that were put into the cache.", name),
        .evicted = &CounterOf(metrics, "thanos_store_index_cache_items_evicted_total",
                              "Items that made room for others.", name),
        .overflowed = &CounterOf(metrics, "thanos_store_index_cache_items_overflowed_total",
                                 "Items too large for the cache.", name),
        .items = &GaugeOf(metrics, "thanos_store_index_cache_items", "Items in the cache.", name),
        .size_bytes = &GaugeOf(metrics, "thanos_store_index_cache_items_size_bytes",
                               "Bytes of the items in the cache.", name),
        .total_size_bytes =
            &GaugeOf(metrics, "thanos_store_index_cache_total_size_bytes",
                     "Bytes of the items in the cache with keys and bookkeeping.", name)};
  }
  prometheus::BuildGauge()
      .Name("thanos_store_index_cache_max_size_bytes")
      .Help("Bytes that the cache may take.")
      .Register(metrics)
      .Add({})
      .Set(static_cast<double>(options.max_size_bytes));
  prometheus::BuildGauge()
      .Name("thanos_store_index_cache_max_item_size_bytes")
      .Help("Bytes that one item may take.")
      .Register(metrics)
      .Add({})
      .Set(static_cast<double>(options.max_item_size_bytes));
}

CachedItems MemoryIndexCache::FetchPostings(const Context& /*context*/, std::string_view block,
                                            std::span<const tsdb::PostingsKey> keys) {
  CachedItems items;
  items.reserve(keys.size());
  for (const tsdb::PostingsKey& key : keys)
    items.push_back(Fetch(PostingsKeyText(block, key), kPostings));
  return items;
}

void MemoryIndexCache::StorePostings(std::string_view block, const tsdb::PostingsKey& key,
                                     const SharedBytes& section) {
  Store(PostingsKeyText(block, key), kPostings, section);
}

CachedItems MemoryIndexCache::FetchPages(const Context& /*context*/, std::string_view block,
                                         std::span<const std::uint64_t> pages) {
  CachedItems items;
  items.reserve(pages.size());
  for (const std::uint64_t page : pages) items.push_back(Fetch(PageKeyText(block, page), kSeries));
  return items;
}

void MemoryIndexCache::StorePage(std::string_view block, std::uint64_t page,
                                 const SharedBytes& bytes) {
  Store(PageKeyText(block, page), kSeries, bytes);
}

std::size_t MemoryIndexCache::size_bytes() const {
  std::size_t bytes = 0;
  for (const Part& part : parts_) {
    MutexLock lock(part.mutex);
    bytes += part.size_bytes;
  }
  return bytes;
}

MemoryIndexCache::Part& MemoryIndexCache::PartOf(std::string_view key) {
  return parts_[std::hash<std::string_view>()(key) % kParts];
}

SharedBytes MemoryIndexCache::Fetch(std::string_view key, Kind kind) {
  metrics_[kind].requests->Increment();
  Part& part = PartOf(key);
  MutexLock lock(part.mutex);
  const auto found = part.by_key.find(key);
  if (found == part.by_key.end()) return {};
  metrics_[kind].hits->Increment();
  part.items.splice(part.items.begin(), part.items, found->second);
  return found->second->bytes;
}

void MemoryIndexCache::Store(std::string key, Kind kind, const SharedBytes& bytes) {
  const std::size_t cost = CostOf(key, bytes.size());
  if (cost > options_.max_item_size_bytes || cost > options_.max_size_bytes / kParts) {
    metrics_[kind].overflowed->Increment();
    return;
  }
  Item item{std::move(key), SharedBytes::Own(std::string(bytes.view)), kind};
  Part& part = PartOf(item.key);
  MutexLock lock(part.mutex);
  if (part.by_key.contains(item.key)) return;
  part.size_bytes += cost;
  Count(item, 1);
  metrics_[kind].added->Increment();
  part.items.push_front(std::move(item));
  part.by_key.emplace(part.items.front().key, part.items.begin());
  Evict(part);
}

void MemoryIndexCache::Evict(Part& part) {
  while (part.size_bytes > options_.max_size_bytes / kParts) {
    const Item& last = part.items.back();
    part.size_bytes -= CostOf(last.key, last.bytes.size());
    Count(last, -1);
    metrics_[last.kind].evicted->Increment();
    part.by_key.erase(last.key);
    part.items.pop_back();
  }
}

void MemoryIndexCache::Count(const Item& item, int sign) {
  const Metrics& metrics = metrics_[item.kind];
  metrics.items->Increment(sign);
  metrics.size_bytes->Increment(sign * static_cast<double>(item.bytes.size()));
  metrics.total_size_bytes->Increment(sign *
                                      static_cast<double>(CostOf(item.key, item.bytes.size())));
}

}  // namespace aevum::storegateway
