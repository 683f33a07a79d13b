// What travels with a request through everything that can block: deadline, cancellation, budget,
// identity, trace.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "base/memory_budget.h"
#include "base/status.h"

namespace aevum {

struct TraceContext;

// Who asks. Shared by all contexts of a request.
struct RequestInfo {
  std::string tenant;
  std::string request_id;
};

// The first parameter of every function that can block. A copy costs a few counters. Keep a copy,
// never a reference, in what outlives the call. Immutable, hence safe to share between threads.
//
// Cancellation wakes whoever registered with OnCancel; a deadline wakes nobody: waiters use
// WaitUntil(deadline()) and then ask status().
class Context {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // No deadline, never cancelled, no budget.
  static Context Background() { return {}; }

  // The earlier of the two deadlines holds.
  Context WithDeadline(TimePoint deadline) const;
  // A timeout of zero or less is past at once.
  Context WithTimeout(std::chrono::nanoseconds timeout) const;
  Context WithBudget(std::shared_ptr<MemoryBudget> budget) const;
  Context WithRequest(RequestInfo request) const;
  Context WithTrace(std::shared_ptr<const TraceContext> trace) const;

  // TimePoint::max() when there is none; never add to it.
  TimePoint deadline() const { return deadline_; }
  // Time left, at least zero; nanoseconds::max() without a deadline.
  std::chrono::nanoseconds remaining() const;
  bool cancelled() const { return stop_.stop_requested(); }
  // OK, or Cancelled, or DeadlineExceeded.
  Status status() const;

  // Null when nothing is charged.
  const std::shared_ptr<MemoryBudget>& budget() const { return budget_; }
  // Never null.
  const RequestInfo& request() const;
  // Null when nothing is traced; see base/trace.h.
  const TraceContext* trace() const { return trace_.get(); }

  // For std::stop_callback: runs when the request is cancelled, in the canceller's thread.
  const std::stop_token& stop_token() const { return stop_; }

 private:
  friend class CancelScope;

  TimePoint deadline_ = TimePoint::max();
  std::stop_token stop_;
  std::shared_ptr<MemoryBudget> budget_;
  std::shared_ptr<const RequestInfo> request_;
  std::shared_ptr<const TraceContext> trace_;
};

// A context that its owner can cancel, and that is cancelled with its parent. The contexts taken
// from it may outlive it. Thread-safe.
class CancelScope {
 public:
  explicit CancelScope(const Context& parent);
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

  const Context& context() const { return context_; }
  void Cancel() { source_.request_stop(); }

 private:
  struct Forward {
    std::stop_source source;
    void operator()() { source.request_stop(); }
  };

  std::stop_source source_;
  Context context_;
  std::stop_callback<Forward> from_parent_;
};

}  // namespace aevum
