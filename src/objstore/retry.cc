#include "objstore/retry.h"

#include <algorithm>
#include <random>

#include "base/pause.h"
#include "objstore/bucket.h"

namespace aevum::objstore {
namespace {

// Whatever a policy says; its nanoseconds fit into 64 bits.
constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours(24);

std::chrono::nanoseconds WaitBefore(const RetryPolicy& policy, int attempt) {
  const auto longest = std::min(policy.longest_wait, kLongestWait);
  auto wait = std::min(policy.first_wait, longest);
  for (int i = 1; i < attempt && wait.count() > 0 && wait < longest; ++i) {
    wait = wait > longest - wait ? longest : 2 * wait;
  }
  const std::chrono::nanoseconds full = wait;
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
