#include "cache/memory_cache.h"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace aevum::cache {
namespace {

prometheus::Counter& CounterOf(prometheus::Registry& metrics, const std::string& name,
                               const char* what, const char* help) {
  return prometheus::BuildCounter()
      .Name(std::string("thanos_cache_inmemory_") + what)
      .Help(help)
      .Register(metrics)
      .Add({{"name", name}});
}

prometheus::Gauge& GaugeOf(prometheus::Registry& metrics, const std::string& name, const char* what,
                           const char* help) {
  return prometheus::BuildGauge()
      .Name(std::string("thanos_cache_inmemory_") + what)
      .Help(help)
      .Register(metrics)
      .Add({{"name", name}});
}

LruMetrics MetricsOf(const std::string& name, prometheus::Registry& metrics) {
  return {.added = &CounterOf(metrics, name, "items_added_total", "Items put into the cache."),
          .evicted = &CounterOf(metrics, name, "items_evicted_total",
                                "Items that made room for others or were too old."),
          .overflowed = &CounterOf(metrics, name, "items_overflowed_total",
                                   "Items that are too large for the cache."),
          .expired = &CounterOf(metrics, name, "hits_on_expired_data_total",
                                "Items that were found and were too old."),
          .items = &GaugeOf(metrics, name, "items", "Items in the cache."),
          .size_bytes = &GaugeOf(metrics, name, "items_size_bytes", "Bytes of the items."),
          .total_size_bytes = &GaugeOf(metrics, name, "total_size_bytes",
                                       "Bytes of the items, their keys and bookkeeping.")};
}

}  // namespace

MemoryCache::MemoryCache(const std::string& name, LruLimits limits, prometheus::Registry& metrics)
    : requests_(CounterOf(metrics, name, "requests_total", "Items that were looked for.")),
      hits_(CounterOf(metrics, name, "hits_total", "Items that were found.")),
      items_(limits, {MetricsOf(name, metrics)}) {
  GaugeOf(metrics, name, "max_size_bytes", "Bytes that the cache may take.")
      .Set(static_cast<double>(limits.max_size_bytes));
  GaugeOf(metrics, name, "max_item_size_bytes", "Bytes that one item may take.")
      .Set(static_cast<double>(limits.max_item_size_bytes));
}

std::vector<SharedBytes> MemoryCache::Fetch(const Context& /*context*/,
                                            std::span<const std::string> keys) {
  std::vector<SharedBytes> items;
  items.reserve(keys.size());
  requests_.Increment(static_cast<double>(keys.size()));
  for (const std::string& key : keys) {
    items.push_back(items_.Fetch(key));
    if (!items.back().empty()) hits_.Increment();
  }
  return items;
}

void MemoryCache::Store(std::string key, SharedBytes bytes, std::chrono::nanoseconds ttl) {
  if (!bytes.empty()) items_.Store(std::move(key), 0, bytes.view, ttl);
}

}  // namespace aevum::cache
