#include "cache/lru.h"

#include <functional>
#include <iterator>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace aevum::cache {
namespace {

// List and map nodes, the control block of the bytes, and headers of their allocations.
constexpr std::size_t kBookkeepingBytes = 200;

std::size_t CostOf(std::string_view key, std::size_t size) {
  return key.size() + size + kBookkeepingBytes;
}

Lru::Clock::time_point After(std::chrono::nanoseconds ttl) {
  const auto now = Lru::Clock::now();
  return ttl < Lru::Clock::time_point::max() - now ? now + ttl : Lru::Clock::time_point::max();
}

}  // namespace

Lru::Lru(LruLimits limits, std::vector<LruMetrics> metrics)
    : limits_(limits), metrics_(std::move(metrics)) {}

std::size_t Lru::size_bytes() const {
  std::size_t bytes = 0;
  for (const Part& part : parts_) {
    MutexLock lock(part.mutex);
    bytes += part.size_bytes;
  }
  return bytes;
}

Lru::Part& Lru::PartOf(std::string_view key) {
  return parts_[std::hash<std::string_view>()(key) % kParts];
}

SharedBytes Lru::Fetch(std::string_view key) {
  Part& part = PartOf(key);
  MutexLock lock(part.mutex);
  const auto found = part.by_key.find(key);
  if (found == part.by_key.end()) return {};
  const Items::iterator item = found->second;
  if (item->expires <= Clock::now()) {
    if (metrics_[item->kind].expired != nullptr) metrics_[item->kind].expired->Increment();
    Remove(part, item);
    return {};
  }
  part.items.splice(part.items.begin(), part.items, item);
  return item->bytes;
}

void Lru::Store(std::string key, std::size_t kind, std::string_view bytes,
                std::chrono::nanoseconds ttl) {
  if (ttl.count() <= 0) return;
  const std::size_t cost = CostOf(key, bytes.size());
  if (cost > limits_.max_item_size_bytes || cost > limits_.max_size_bytes / kParts) {
    metrics_[kind].overflowed->Increment();
    return;
  }
  Item item{std::move(key), SharedBytes::Own(std::string(bytes)), kind, After(ttl)};
  Part& part = PartOf(item.key);
  MutexLock lock(part.mutex);
  if (const auto old = part.by_key.find(item.key); old != part.by_key.end()) {
    if (old->second->expires > Clock::now()) return;
    Remove(part, old->second);
  }
  part.size_bytes += cost;
  Count(item, 1);
  metrics_[kind].added->Increment();
  part.items.push_front(std::move(item));
  part.by_key.emplace(part.items.front().key, part.items.begin());
  while (part.size_bytes > limits_.max_size_bytes / kParts)
    Remove(part, std::prev(part.items.end()));
}

void Lru::Remove(Part& part, Items::iterator item) {
  part.size_bytes -= CostOf(item->key, item->bytes.size());
  Count(*item, -1);
  metrics_[item->kind].evicted->Increment();
  part.by_key.erase(item->key);
  part.items.erase(item);
}

void Lru::Count(const Item& item, int sign) {
  const LruMetrics& metrics = metrics_[item.kind];
  metrics.items->Increment(sign);
  metrics.size_bytes->Increment(sign * static_cast<double>(item.bytes.size()));
  metrics.total_size_bytes->Increment(sign *
                                      static_cast<double>(CostOf(item.key, item.bytes.size())));
}

}  // namespace aevum::cache
