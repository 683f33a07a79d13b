// Lets only so many queries in at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/mutex.h"
#include "base/status.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::query {

// Thread-safe. Metrics: <prefix>_max, _in_flight, _total, _duration_seconds (of the wait).
class Gate {
 public:
  Gate(std::size_t max_concurrent, const std::string& metrics_prefix,
       prometheus::Registry& metrics);

  // Waits for a place. Cancelled or DeadlineExceeded when the request ends first.
  Status Enter(const Context& context);
  void Leave();

 private:
  const std::size_t max_concurrent_;
  Mutex mutex_;
  std::condition_variable left_;
  std::size_t inside_ AEVUM_GUARDED_BY(mutex_) = 0;
  prometheus::Gauge* in_flight_;
  prometheus::Counter* total_;
  prometheus::Histogram* waited_;
};

// A place in a gate for a scope.
class GatePass {
 public:
  explicit GatePass(Gate& gate) : gate_(gate) {}
  ~GatePass() {
    if (inside_) gate_.Leave();
  }
  GatePass(const GatePass&) = delete;
  GatePass& operator=(const GatePass&) = delete;
  Status Enter(const Context& context) {
    RETURN_IF_ERROR(gate_.Enter(context));
    inside_ = true;
    return OkStatus();
  }

 private:
  Gate& gate_;
  bool inside_ = false;
};

}  // namespace aevum::query
