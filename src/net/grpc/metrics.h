// The metrics of calls, grpc_server_* and grpc_client_*.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "base/mutex.h"
#include "base/status.h"

namespace aevum::net::grpc {

enum class CallType : std::uint8_t { kUnary, kServerStream, kBidiStream };

// Of one method. Thread-safe; valid as long as the registry.
struct MethodMetrics {
  prometheus::Counter* started = nullptr;
  prometheus::Counter* received = nullptr;
  prometheus::Counter* sent = nullptr;
  prometheus::Histogram* seconds = nullptr;
  std::array<prometheus::Counter*, 17> handled{};

  void Handled(StatusCode code, double duration_seconds) const;
};

// Thread-safe.
class CallMetrics {
 public:
  enum class Side : std::uint8_t { kServer, kClient };

  // A null registry counts where nobody looks.
  CallMetrics(Side side, std::shared_ptr<prometheus::Registry> registry);

  // The series of a method, made with zeros at its first mention. `path` as "/service/method";
  // callers name methods of their own, never of the peer's choice.
  const MethodMetrics& Of(std::string_view path, CallType type);

 private:
  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& started_;
  prometheus::Family<prometheus::Counter>& handled_;
  prometheus::Family<prometheus::Counter>& received_;
  prometheus::Family<prometheus::Counter>& sent_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  const std::vector<double> buckets_;
  Mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<MethodMetrics>> methods_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::net::grpc
