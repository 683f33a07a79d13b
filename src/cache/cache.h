// Bytes by key, kept somewhere for a while.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"

namespace aevum::cache {

// Nothing is promised: what was stored may be gone, and a cache that fails answers with nothing and
// says so in its metrics. Thread-safe.
class Cache {
 public:
  virtual ~Cache() = default;

  // One item for each key, in their order; empty for what is not there. Ends with the context.
  virtual std::vector<SharedBytes> Fetch(const Context& context,
                                         std::span<const std::string> keys) = 0;
  // Returns at once; the bytes are kept alive until they are stored. Empty bytes are not stored,
  // since nobody could tell them from none.
  virtual void Store(std::string key, SharedBytes bytes, std::chrono::nanoseconds ttl) = 0;
};

}  // namespace aevum::cache
