#include "storegateway/memory_index_cache.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "storegateway/index_cache_keys.h"

namespace aevum::storegateway {
namespace {

using SteadyClock = std::chrono::steady_clock;

prometheus::Counter& CounterOf(prometheus::Registry& metrics, const char* name, const char* help,
                               const char* kind) {
  return prometheus::BuildCounter()
      .Name(std::string("thanos_store_index_cache_") + name)
      .Help(help)
      .Register(metrics)
      .Add({{"item_type", kind}});
}

prometheus::Gauge& GaugeOf(prometheus::Registry& metrics, const char* name, const char* help,
                           const prometheus::Labels& labels) {
  return prometheus::BuildGauge()
      .Name(std::string("thanos_store_index_cache_") + name)
      .Help(help)
      .Register(metrics)
      .Add(labels);
}

std::vector<cache::LruMetrics> MetricsOfKinds(prometheus::Registry& metrics) {
  std::vector<cache::LruMetrics> kinds;
  for (const char* name : kIndexItemNames) {
    const prometheus::Labels kind = {{"item_type", name}};
    kinds.push_back(
        {.added = &CounterOf(metrics, "items_added_total", "Items put into the cache.", name),
         .evicted =
             &CounterOf(metrics, "items_evicted_total", "Items that made room for others.", name),
         .overflowed =
             &CounterOf(metrics, "items_overflowed_total", "Items too large for the cache.", name),
         .items = &GaugeOf(metrics, "items", "Items in the cache.", kind),
         .size_bytes = &GaugeOf(metrics, "items_size_bytes", "Bytes of the items.", kind),
         .total_size_bytes = &GaugeOf(metrics, "total_size_bytes",
                                      "Bytes of the items with keys and bookkeeping.", kind)});
  }
  return kinds;
}

}  // namespace

MemoryIndexCache::MemoryIndexCache(cache::LruLimits limits, prometheus::Registry& metrics)
    : metrics_(metrics), items_(limits, MetricsOfKinds(metrics)) {
  GaugeOf(metrics, "max_size_bytes", "Bytes that the cache may take.", {})
      .Set(static_cast<double>(limits.max_size_bytes));
  GaugeOf(metrics, "max_item_size_bytes", "Bytes that one item may take.", {})
      .Set(static_cast<double>(limits.max_item_size_bytes));
}

template <typename KeyOf>
CachedItems MemoryIndexCache::Fetch(const Context& context, IndexItem kind, std::size_t count,
                                    const KeyOf& key_of) {
  const auto began = SteadyClock::now();
  CachedItems items;
  items.reserve(count);
  std::size_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    items.push_back(items_.Fetch(key_of(i)));
    if (!items.back().empty()) ++found;
  }
  metrics_.Fetched(context, kind, count, found, SteadyClock::now() - began);
  return items;
}

void MemoryIndexCache::Store(const Context& context, IndexItem kind, std::string key,
                             std::string_view bytes) {
  metrics_.Stored(context, kind, bytes.size());
  items_.Store(std::move(key), static_cast<std::size_t>(kind), bytes, cache::Lru::kForever);
}

namespace {

// Labels as they are: a hash would only cost.
std::string PostingsKeyText(std::string_view block, const tsdb::PostingsKey& key) {
  return fmt::format("P{}{}\xff{}", block, key.name, key.value);
}

std::string PageKeyText(std::string_view block, std::uint64_t page) {
  return fmt::format("S{}{}", block, page);
}

}  // namespace

CachedItems MemoryIndexCache::FetchPostings(const Context& context, std::string_view block,
                                            std::span<const tsdb::PostingsKey> keys) {
  return Fetch(context, IndexItem::kPostings, keys.size(),
               [&](std::size_t i) { return PostingsKeyText(block, keys[i]); });
}

void MemoryIndexCache::StorePostings(const Context& context, std::string_view block,
                                     const tsdb::PostingsKey& key, const SharedBytes& section) {
  Store(context, IndexItem::kPostings, PostingsKeyText(block, key), section.view);
}

SharedBytes MemoryIndexCache::FetchExpanded(const Context& context, std::string_view block,
                                            const model::Matchers& matchers) {
  return Fetch(context, IndexItem::kExpandedPostings, 1,
               [&](std::size_t) { return ExpandedPostingsCacheKey(block, matchers); })
      .front();
}

void MemoryIndexCache::StoreExpanded(const Context& context, std::string_view block,
                                     const model::Matchers& matchers, std::string encoded) {
  Store(context, IndexItem::kExpandedPostings, ExpandedPostingsCacheKey(block, matchers), encoded);
}

CachedItems MemoryIndexCache::FetchSeries(const Context& context, std::string_view block,
                                          std::span<const std::uint64_t> numbers) {
  return Fetch(context, IndexItem::kSeries, numbers.size(),
               [&](std::size_t i) { return PageKeyText(block, numbers[i]); });
}

void MemoryIndexCache::StoreSeries(const Context& context, std::string_view block,
                                   std::uint64_t number, const SharedBytes& bytes) {
  Store(context, IndexItem::kSeries, PageKeyText(block, number), bytes.view);
}

}  // namespace aevum::storegateway
