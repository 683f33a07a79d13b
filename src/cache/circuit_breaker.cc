#include "cache/circuit_breaker.h"

#include <algorithm>
#include <utility>

namespace aevum::cache {
namespace {

constexpr std::chrono::seconds kCountingTime{10};
constexpr std::chrono::seconds kDefaultOpenTime{60};

}  // namespace

CircuitBreaker::CircuitBreaker(CircuitBreakerOptions options,
                               std::function<Clock::time_point()> now)
    : options_(options), now_(std::move(now)), until_(now_() + kCountingTime) {}

bool CircuitBreaker::Enter() {
  if (!options_.enabled) return true;
  MutexLock lock(mutex_);
  Refresh(now_());
  if (state_ == State::kOpen) return false;
  if (state_ == State::kHalfOpen &&
      counts_.requests >= std::max(options_.half_open_max_requests, 1U))
    return false;
  ++counts_.requests;
  return true;
}

void CircuitBreaker::Done(bool ok) {
  if (!options_.enabled) return;
  MutexLock lock(mutex_);
  const Clock::time_point now = now_();
  Refresh(now);
  if (ok) {
    counts_.failures_in_row = 0;
    ++counts_.successes_in_row;
    if (state_ == State::kHalfOpen &&
        counts_.successes_in_row >= std::max(options_.half_open_max_requests, 1U))
      Become(State::kClosed, now);
    return;
  }
  counts_.successes_in_row = 0;
  ++counts_.failures_in_row;
  ++counts_.failures;
  if (state_ == State::kHalfOpen || (state_ == State::kClosed && ShouldOpen()))
    Become(State::kOpen, now);
}

bool CircuitBreaker::ShouldOpen() const {
  return counts_.requests >= options_.min_requests &&
         (counts_.failures_in_row >= options_.consecutive_failures ||
          counts_.failures >= options_.failure_percent * counts_.requests);
}

void CircuitBreaker::Refresh(Clock::time_point now) {
  if (now < until_) return;
  if (state_ == State::kOpen) {
    Become(State::kHalfOpen, now);
  } else if (state_ == State::kClosed) {
    Become(State::kClosed, now);
  }
}

void CircuitBreaker::Become(State state, Clock::time_point now) {
  state_ = state;
  counts_ = {};
  if (state == State::kClosed) until_ = now + kCountingTime;
  if (state == State::kOpen) {
    const auto open = options_.open_duration.count() > 0
                          ? options_.open_duration
                          : std::chrono::nanoseconds(kDefaultOpenTime);
    until_ = now + std::min<Clock::duration>(open, Clock::time_point::max() - now);
  }
}

}  // namespace aevum::cache
