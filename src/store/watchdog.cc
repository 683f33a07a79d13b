#include "store/watchdog.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace aevum::store {

Watchdog::Watchdog() : thread_([this] { Run(); }) {}

Watchdog::~Watchdog() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::uint64_t Watchdog::Arm(std::shared_ptr<CancelScope> scope, TimePoint deadline) {
  std::uint64_t id = 0;
  bool earliest = true;
  {
    MutexLock lock(mutex_);
    for (const auto& [other, entry] : entries_) earliest &= deadline < entry.deadline;
    id = next_id_++;
    entries_.emplace(id, Entry{.scope = std::move(scope), .deadline = deadline});
  }
  if (earliest) wake_.notify_one();
  return id;
}

bool Watchdog::Disarm(std::uint64_t id) {
  MutexLock lock(mutex_);
  return entries_.erase(id) == 0;
}

void Watchdog::Run() {
  std::vector<std::shared_ptr<CancelScope>> due;
  while (true) {
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      TimePoint first = TimePoint::max();
      const TimePoint now = TimePoint::clock::now();
      std::erase_if(entries_, [&](auto& item) {
        if (item.second.deadline > now) {
          first = std::min(first, item.second.deadline);
          return false;
        }
        due.push_back(std::move(item.second.scope));
        return true;
      });
      if (due.empty()) {
        if (first == TimePoint::max()) {
          lock.Wait(wake_);
        } else {
          lock.WaitUntil(wake_, first);
        }
        continue;
      }
    }
    for (const auto& scope : due) scope->Cancel();
    due.clear();
  }
}

}  // namespace aevum::store
