#include "net/http/outbox.h"

#include <utility>

namespace aevum::net {

void Outbox::Append(std::string bytes) {
  held_bytes_ += bytes.size();
  if (waiting_.empty()) {
    waiting_ = std::move(bytes);
  } else {
    waiting_ += bytes;
  }
}

bool Outbox::Push(std::string bytes) {
  const auto deadline = std::chrono::steady_clock::now() + push_timeout_;
  bool wake = false;
  {
    MutexLock lock(mutex_);
    while (!closed_ && held_bytes_ > 0 && held_bytes_ + bytes.size() > kLimitBytes) {
      if (!lock.WaitUntil(room_, deadline)) return false;
    }
    if (closed_) return false;
    Append(std::move(bytes));
    wake = !std::exchange(woken_, true);
  }
  if (wake) wake_();
  return true;
}

void Outbox::Finish(std::string bytes, Ending ending) {
  bool wake = false;
  {
    MutexLock lock(mutex_);
    if (!closed_) Append(std::move(bytes));
    ending_ = ending;
    wake = !std::exchange(woken_, true);
  }
  if (wake) wake_();
}

std::string Outbox::Take() {
  MutexLock lock(mutex_);
  woken_ = false;
  return std::exchange(waiting_, {});
}

void Outbox::Written(std::size_t bytes) {
  {
    MutexLock lock(mutex_);
    held_bytes_ -= bytes;
  }
  room_.notify_one();
}

Outbox::Ending Outbox::ending() const {
  MutexLock lock(mutex_);
  return waiting_.empty() || ending_ == Ending::kBroken ? ending_ : Ending::kNone;
}

void Outbox::Restart() {
  MutexLock lock(mutex_);
  ending_ = Ending::kNone;
}

void Outbox::Close() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  room_.notify_all();
}

}  // namespace aevum::net
