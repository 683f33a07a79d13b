// The metrics that all index caches have: thanos_store_index_cache_*.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "base/context.h"
#include "net/metrics/bounded_label.h"
#include "storegateway/index_cache.h"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace aevum::storegateway {

// By kind of item and tenant. Thread-safe.
class IndexCacheMetrics {
 public:
  explicit IndexCacheMetrics(prometheus::Registry& metrics);

  void Fetched(const Context& context, IndexItem item, std::size_t asked, std::size_t found,
               std::chrono::nanoseconds taken);
  void Stored(const Context& context, IndexItem item, std::size_t bytes);

 private:
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Counter>& hits_;
  prometheus::Family<prometheus::Histogram>& stored_bytes_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  net::BoundedLabel tenants_;
};

}  // namespace aevum::storegateway
