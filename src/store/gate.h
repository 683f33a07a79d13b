// Lets only so many queries in at once, and tenants in turn.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/mutex.h"
#include "base/status.h"
#include "store/gate_metrics.h"

namespace aevum::store {

// While there is room everybody enters at once. While it is full, places that become free go round
// the tenants that wait, one to each; within a tenant first come, first served. So a tenant with a
// thousand queries keeps another's single query waiting for one place only, not for a thousand.
//
// Who waits is a thread, so the pools that call Enter bound the queues. Thread-safe.
class Gate {
 public:
  // `what` passes the gate, for the help of the metrics, which carry `labels`.
  Gate(std::size_t max_concurrent, const std::string& metrics_prefix, prometheus::Registry& metrics,
       const std::string& what = "queries", const std::map<std::string, std::string>& labels = {});

  // Waits for a place on behalf of the request's tenant. Cancelled or DeadlineExceeded when the
  // request ends first.
  Status Enter(const Context& context);
  void Leave();
  // How many wait.
  std::size_t waiting();

 private:
  // One that waits, on the stack of its thread.
  struct Waiter {
    std::condition_variable changed;
    bool inside = false;  // has been given a place
  };
  // The queries of a tenant that wait, oldest first; never empty.
  struct Queue {
    std::string tenant;
    std::list<Waiter*> waiters;
  };

  Status WaitForPlace(const Context& context);
  void Enqueue(const std::string& tenant, Waiter* waiter) AEVUM_REQUIRES(mutex_);
  void Remove(const std::string& tenant, Waiter* waiter) AEVUM_REQUIRES(mutex_);

  const std::size_t max_concurrent_;
  Mutex mutex_;
  std::size_t inside_ AEVUM_GUARDED_BY(mutex_) = 0;
  // A tenant each, the one whose turn is next in front. Empty unless the gate is full.
  std::list<Queue> queues_ AEVUM_GUARDED_BY(mutex_);
  GateMetrics metrics_;
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

}  // namespace aevum::store
