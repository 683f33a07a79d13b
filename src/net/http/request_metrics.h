// The http_* metrics that dashboards of Thanos read.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/metrics/bounded_label.h"

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

  const Tenants tenants_;
  std::unique_ptr<Families> families_;
  BoundedLabel tenant_label_;
};

}  // namespace aevum::net
