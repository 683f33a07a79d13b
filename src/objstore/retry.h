// Trying again what failed for a reason that passes.
#pragma once

#include <chrono>
#include <functional>

#include "base/context.h"
#include "base/status.h"

namespace aevum::objstore {

struct RetryPolicy {
  int max_attempts = 10;  // 1 tries once
  // The n-th wait is random between half and all of `first_wait` x 2^n, at most `longest_wait`, a
  // day at most: many clients that failed together do not come back together.
  std::chrono::milliseconds first_wait{200};
  std::chrono::milliseconds longest_wait{1'000};
};

// Calls `attempt` until it is OK, fails for good, or the attempts or the context's time are used
// up; the result is that of the last attempt. Only for what may be done twice.
Status Retry(const Context& context, const RetryPolicy& policy,
             const std::function<Status()>& attempt);

}  // namespace aevum::objstore
