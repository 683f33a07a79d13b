// Keeps calls from a server that fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "base/mutex.h"

namespace aevum::cache {

// The block set_async_circuit_breaker_config.
struct CircuitBreakerOptions {
  bool enabled = false;
  std::uint32_t half_open_max_requests = 10;                         // 0 counts as 1
  std::chrono::nanoseconds open_duration = std::chrono::seconds(5);  // 0 counts as a minute
  std::uint32_t min_requests = 50;
  std::uint32_t consecutive_failures = 5;
  double failure_percent = 0.05;  // a share, of 1
};

// Closed: calls go, and are counted over ten seconds. Once there were `min_requests` and so many of
// them failed, in a row or as a share, it opens: no call goes. After `open_duration` it is half
// open: so many calls may try; one that fails opens it again, and when all were well it closes.
// Thread-safe.
class CircuitBreaker {
 public:
  using Clock = std::chrono::steady_clock;
  // `now` can be replaced by tests.
  explicit CircuitBreaker(CircuitBreakerOptions options,
                          std::function<Clock::time_point()> now = Clock::now);

  // Whether a call may go. After one that went, Done() says how it was.
  bool Enter();
  void Done(bool ok);

 private:
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };
  struct Counts {
    std::uint32_t requests = 0;
    std::uint32_t failures = 0;
    std::uint32_t failures_in_row = 0;
    std::uint32_t successes_in_row = 0;
  };

  void Become(State state, Clock::time_point now) AEVUM_REQUIRES(mutex_);
  void Refresh(Clock::time_point now) AEVUM_REQUIRES(mutex_);
  bool ShouldOpen() const AEVUM_REQUIRES(mutex_);

  const CircuitBreakerOptions options_;
  const std::function<Clock::time_point()> now_;
  Mutex mutex_;
  State state_ AEVUM_GUARDED_BY(mutex_) = State::kClosed;
  Counts counts_ AEVUM_GUARDED_BY(mutex_);
  Clock::time_point until_ AEVUM_GUARDED_BY(mutex_);  // when counting begins anew, or it half opens
};

}  // namespace aevum::cache
