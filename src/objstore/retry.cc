#include "objstore/retry.h"

#include <algorithm>
#include <random>

#include "base/pause.h"
#include "objstore/bucket.h"

namespace aevum::objstore {
namespace {

std::chrono::nanoseconds WaitBefore(const RetryPolicy& policy, int attempt) {
  const int doublings = std::min(attempt - 1, 20);
  const auto full =
      std::min<std::chrono::nanoseconds>(policy.first_wait * (1 << doublings), policy.longest_wait);
  std::random_device random;
  std::uniform_int_distribution<std::int64_t> between(full.count() / 2, full.count());
  return std::chrono::nanoseconds(between(random));
}

}  // namespace

Status Retry(const Context& context, const RetryPolicy& policy,
             const std::function<Status()>& attempt) {
  for (int number = 1;; ++number) {
    Status status = attempt();
    if (status.ok() || !IsTransient(status) || number >= policy.max_attempts) return status;
    // The error says more than that the time was over while waiting.
    if (!Pause(context, WaitBefore(policy, number)).ok()) {
      return context.cancelled() ? context.status() : status;
    }
  }
}

}  // namespace aevum::objstore
