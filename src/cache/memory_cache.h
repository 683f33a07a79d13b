// A cache in the memory of the process.
#pragma once

#include <string>

#include "cache/cache.h"
#include "cache/lru.h"

namespace prometheus {
class Registry;
}

namespace aevum::cache {

// Metrics: thanos_cache_inmemory_*, with the label `name`. Thread-safe.
class MemoryCache final : public Cache {
 public:
  MemoryCache(const std::string& name, LruLimits limits, prometheus::Registry& metrics);

  std::vector<SharedBytes> Fetch(const Context& context,
                                 std::span<const std::string> keys) override;
  void Store(std::string key, SharedBytes bytes, std::chrono::nanoseconds ttl) override;

 private:
  prometheus::Counter& requests_;
  prometheus::Counter& hits_;
  Lru items_;
};

}  // namespace aevum::cache
