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
  return Arm([scope = std::move(scope)] { scope->Cancel(); }, deadline);
}

std::uint64_t Watchdog::Arm(std::function<void()> late, TimePoint deadline) {
  std::uint64_t id = 0;
  bool earliest = true;
  {
    MutexLock lock(mutex_);
    for (const auto& [other, entry] : entries_) earliest &= deadline < entry.deadline;
    id = next_id_++;
    entries_.emplace(id, Entry{.late = std::move(late), .deadline = deadline});
  }
  if (earliest) wake_.notify_one();
  return id;
}

bool Watchdog::Disarm(std::uint64_t id) {
  MutexLock lock(mutex_);
  return entries_.erase(id) == 0;
}

void Watchdog::Run() {
  std::vector<std::function<void()>> due;
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
        due.push_back(std::move(item.second.late));
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
    for (const auto& late : due) late();
    due.clear();
  }
}

}  // namespace aevum::store
