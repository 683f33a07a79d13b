// Items by key in bounded memory; what was not used for longest goes first.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/mutex.h"

namespace prometheus {
class Counter;
class Gauge;
}  // namespace prometheus

namespace aevum::cache {

struct LruLimits {
  std::size_t max_size_bytes = 250 << 20;
  std::size_t max_item_size_bytes = 125 << 20;
};

// What happens to the items of one kind. None may be null but `expired`.
struct LruMetrics {
  prometheus::Counter* added = nullptr;
  prometheus::Counter* evicted = nullptr;
  prometheus::Counter* overflowed = nullptr;  // too large
  prometheus::Counter* expired = nullptr;     // found, but older than their time
  prometheus::Gauge* items = nullptr;
  prometheus::Gauge* size_bytes = nullptr;
  prometheus::Gauge* total_size_bytes = nullptr;  // with keys and bookkeeping
};

// Bounded by bytes, keys and bookkeeping included. Split into parts with a lock each, so an item
// may take a sixteenth of the whole at most. What is stored is copied, so that a small piece does
// not keep the buffer alive that it was read into. Thread-safe.
class Lru {
 public:
  using Clock = std::chrono::steady_clock;

  // One entry of `metrics` for each kind of items.
  Lru(LruLimits limits, std::vector<LruMetrics> metrics);
  Lru(const Lru&) = delete;
  Lru& operator=(const Lru&) = delete;

  // Empty when it is not there or has expired.
  SharedBytes Fetch(std::string_view key);
  // Does nothing when the key is there and has not expired. `ttl` of zero or less: nothing is
  // stored; kForever: it does not expire.
  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();
  void Store(std::string key, std::size_t kind, std::string_view bytes,
             std::chrono::nanoseconds ttl);

  std::size_t size_bytes() const;

 private:
  struct Item {
    std::string key;
    SharedBytes bytes;
    std::size_t kind = 0;
    Clock::time_point expires;
  };
  using Items = std::list<Item>;
  struct Part {
    mutable Mutex mutex;
    Items items AEVUM_GUARDED_BY(mutex);  // last used first
    std::unordered_map<std::string_view, Items::iterator> by_key AEVUM_GUARDED_BY(mutex);
    std::size_t size_bytes AEVUM_GUARDED_BY(mutex) = 0;
  };

  static constexpr std::size_t kParts = 16;

  Part& PartOf(std::string_view key);
  void Remove(Part& part, Items::iterator item) AEVUM_REQUIRES(part.mutex);
  void Count(const Item& item, int sign);

  const LruLimits limits_;
  const std::vector<LruMetrics> metrics_;
  std::array<Part, kParts> parts_;
};

}  // namespace aevum::cache
