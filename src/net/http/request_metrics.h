// The http_* metrics that dashboards of Thanos read.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace prometheus {
class Registry;
}

namespace aevum::net {

// One request, for its labels and its observations.
struct RequestFacts {
  std::string handler;
  std::string method;  // as it came
  std::string tenant;
  std::size_t request_bytes = 0;
};

// Thread-safe.
class RequestMetrics {
 public:
  enum class Tenants { kNone, kLabelled };
  // Nothing is counted when `registry` is null.
  RequestMetrics(const std::shared_ptr<prometheus::Registry>& registry, Tenants tenants);
  ~RequestMetrics();

  void Begin(const RequestFacts& facts);
  void End(const RequestFacts& facts, int status, std::chrono::nanoseconds duration,
           std::size_t response_bytes);
  void CountException();

 private:
  struct Families;
  std::string TenantLabel(const std::string& tenant);

  // Tenants come from clients: more than this many share the label "other".
  static constexpr std::size_t kTenantLimit = 1000;

  const Tenants tenants_;
  std::unique_ptr<Families> families_;
  Mutex mutex_;
  std::set<std::string> seen_tenants_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::net
