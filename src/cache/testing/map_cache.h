// A cache for tests that keeps everything, whose items can be looked at and changed.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "cache/cache.h"

namespace aevum::cache {

// Thread-safe.
class MapCache final : public Cache {
 public:
  std::vector<SharedBytes> Fetch(const Context&, std::span<const std::string> keys) override {
    MutexLock lock(mutex_);
    std::vector<SharedBytes> items;
    for (const std::string& key : keys) {
      const auto found = items_.find(key);
      items.push_back(found == items_.end() ? SharedBytes() : SharedBytes::Own(found->second));
    }
    return items;
  }
  void Store(std::string key, SharedBytes bytes, std::chrono::nanoseconds) override {
    MutexLock lock(mutex_);
    if (!bytes.empty()) items_.emplace(std::move(key), std::string(bytes.view));
  }
  void Set(const std::string& key, std::string bytes) {
    MutexLock lock(mutex_);
    items_[key] = std::move(bytes);
  }
  std::map<std::string, std::string> items() {
    MutexLock lock(mutex_);
    return items_;
  }

 private:
  Mutex mutex_;
  std::map<std::string, std::string> items_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::cache
