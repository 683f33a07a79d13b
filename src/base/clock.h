// The time of day as milliseconds, from a clock that tests can set.
#pragma once

#include <atomic>
#include <cstdint>

namespace aevum {

// Milliseconds since the Unix epoch, as everywhere in Prometheus. Can be negative.
using TimestampMs = std::int64_t;

// The earliest and latest time; Thanos stores announce these when they have no bound.
inline constexpr TimestampMs kMinTime = INT64_MIN;
inline constexpr TimestampMs kMaxTime = INT64_MAX;

// Tells the time of day. Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimestampMs NowMs() const = 0;

  // The machine's clock.
  static const Clock& System();
};

// A clock that stands still until it is set. Thread-safe.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(TimestampMs now) : now_(now) {}
  TimestampMs NowMs() const override { return now_.load(); }
  void Set(TimestampMs now) { now_.store(now); }
  void Advance(std::int64_t milliseconds) { now_.fetch_add(milliseconds); }

 private:
  std::atomic<TimestampMs> now_;
};

}  // namespace aevum
