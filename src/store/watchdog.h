// Acts on what takes too long.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "base/context.h"
#include "base/mutex.h"

namespace aevum::store {

// One thread that cancels scopes, or calls functions, whose time has come. Needed since a receive
// that blocks observes the deadline of its whole call, not one of its own. Thread-safe.
class Watchdog {
 public:
  using TimePoint = Context::TimePoint;

  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // Cancels `scope` at `deadline`, unless Disarm comes first. Gives what Disarm wants.
  std::uint64_t Arm(std::shared_ptr<CancelScope> scope, TimePoint deadline);
  // The same for a function, which runs in the watchdog's thread and must not block. It may still
  // run for a moment after Disarm has said that the deadline came first.
  std::uint64_t Arm(std::function<void()> late, TimePoint deadline);
  // True when the deadline came first.
  bool Disarm(std::uint64_t id);

 private:
  struct Entry {
    std::function<void()> late;
    TimePoint deadline;
  };

  void Run();

  Mutex mutex_;
  std::condition_variable wake_;
  std::map<std::uint64_t, Entry> entries_ AEVUM_GUARDED_BY(mutex_);  // a few per running query
  std::uint64_t next_id_ AEVUM_GUARDED_BY(mutex_) = 0;
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace aevum::store
