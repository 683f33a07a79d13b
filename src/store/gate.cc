#include "store/gate.h"

#include <algorithm>

namespace aevum::store {

Gate::Gate(std::size_t max_concurrent, const std::string& prefix, prometheus::Registry& metrics,
           const std::string& what, const std::map<std::string, std::string>& labels)
    : max_concurrent_(max_concurrent), metrics_(prefix, what, max_concurrent, metrics, labels) {}

Status Gate::Enter(const Context& context) {
  const auto began = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(WaitForPlace(context));
  metrics_.Entered(std::chrono::steady_clock::now() - began);
  return OkStatus();
}

Status Gate::WaitForPlace(const Context& context) {
  Waiter self;
  // Cancellation wakes the wait; a deadline ends it.
  const std::stop_callback wake(context.stop_token(), [&] {
    MutexLock lock(mutex_);
    self.changed.notify_one();
  });
  MutexLock lock(mutex_);
  if (inside_ < max_concurrent_) {
    ++inside_;
    return OkStatus();
  }
  const std::string& tenant = context.request().tenant;
  Enqueue(tenant, &self);
  while (!self.inside) {
    if (Status status = context.status(); !status.ok()) {
      Remove(tenant, &self);
      return status;
    }
    if (context.deadline() == Context::TimePoint::max()) {
      lock.Wait(self.changed);
    } else {
      lock.WaitUntil(self.changed, context.deadline());
    }
  }
  return OkStatus();
}

void Gate::Enqueue(const std::string& tenant, Waiter* waiter) {
  const auto queue = std::find_if(queues_.begin(), queues_.end(),
                                  [&](const Queue& one) { return one.tenant == tenant; });
  if (queue == queues_.end()) {
    queues_.push_back({tenant, {waiter}});
  } else {
    queue->waiters.push_back(waiter);
  }
}

void Gate::Remove(const std::string& tenant, Waiter* waiter) {
  const auto queue = std::find_if(queues_.begin(), queues_.end(),
                                  [&](const Queue& one) { return one.tenant == tenant; });
  queue->waiters.remove(waiter);
  if (queue->waiters.empty()) queues_.erase(queue);
}

std::size_t Gate::waiting() {
  MutexLock lock(mutex_);
  std::size_t count = 0;
  for (const Queue& queue : queues_) count += queue.waiters.size();
  return count;
}

void Gate::Leave() {
  metrics_.Left();
  MutexLock lock(mutex_);
  if (queues_.empty()) {
    --inside_;
    return;
  }
  // The place goes from hand to hand, so that nobody who comes now is before those who wait.
  Queue& next = queues_.front();
  Waiter* const waiter = next.waiters.front();
  next.waiters.pop_front();
  if (next.waiters.empty()) {
    queues_.pop_front();
  } else {
    queues_.splice(queues_.end(), queues_, queues_.begin());
  }
  waiter->inside = true;
  // Under the lock: the waiter is gone once it sees what it waits for.
  waiter->changed.notify_one();
}

}  // namespace aevum::store
