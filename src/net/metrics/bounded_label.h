// The values of a label that clients choose, so many and no more.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "base/mutex.h"

namespace aevum::net {

// Tenants come from requests: the first thousand have a label value of their own, all others share
// "other", so that nobody fills the memory with series. Thread-safe.
class BoundedLabel {
 public:
  std::string Of(const std::string& value) {
    MutexLock lock(mutex_);
    if (seen_.contains(value)) return value;
    if (seen_.size() >= kLimit) return "other";
    seen_.insert(value);
    return value;
  }

 private:
  static constexpr std::size_t kLimit = 1000;

  Mutex mutex_;
  std::set<std::string> seen_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::net
