// What a service gave for a time, kept as long as it is good.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "base/status.h"

namespace aevum::objstore {

// Keeps a T, which says in `expires_ms` how long it is good. Thread-safe: one thread asks at a
// time; the others take what is kept as long as it is good, and else wait for the answer.
template <typename T>
class Kept {
 public:
  using Ask = std::function<StatusOr<T>(const Context& context)>;

  Kept(Ask ask, const Clock& clock,
       std::chrono::milliseconds renew_before = std::chrono::minutes(1))
      : ask_(std::move(ask)), clock_(clock), renew_before_(renew_before) {}

  // Asks when there is none, or when it expires within the time given. What is still good when the
  // renewal fails is the answer. Waits no longer than the context lasts.
  StatusOr<T> Get(const Context& context) {
    ASSIGN_OR_RETURN(std::optional<T> kept, FindOrBegin(context));
    if (kept) return *std::move(kept);
    StatusOr<T> answer = ask_(context);
    MutexLock lock(mutex_);
    asking_ = false;
    answered_.notify_all();
    if (answer.ok()) {
      kept_ = *answer;
    } else if (IsGoodFor(std::chrono::milliseconds(0))) {
      return *kept_;
    }
    return answer;
  }

  void Forget() {
    MutexLock lock(mutex_);
    kept_.reset();
  }

 private:
  // What is kept; nothing when the caller is the one who asks.
  StatusOr<std::optional<T>> FindOrBegin(const Context& context) {
    // Before the lock, as it runs at once when the context is cancelled already.
    const std::stop_callback wake(context.stop_token(), [this] {
      MutexLock lock(mutex_);
      answered_.notify_all();
    });
    MutexLock lock(mutex_);
    while (!IsGoodFor(renew_before_)) {
      if (!asking_) {
        asking_ = true;
        return std::optional<T>();
      }
      if (IsGoodFor(std::chrono::milliseconds(0))) break;
      RETURN_IF_ERROR(context.status());
      if (context.deadline() == Context::TimePoint::max()) {
        lock.Wait(answered_);
      } else {
        lock.WaitUntil(answered_, context.deadline());
      }
    }
    return kept_;
  }

  bool IsGoodFor(std::chrono::milliseconds time) const AEVUM_REQUIRES(mutex_) {
    return kept_ && clock_.NowMs() < kept_->expires_ms - time.count();
  }

  const Ask ask_;
  const Clock& clock_;
  const std::chrono::milliseconds renew_before_;
  Mutex mutex_;
  std::condition_variable answered_;
  bool asking_ AEVUM_GUARDED_BY(mutex_) = false;
  std::optional<T> kept_ AEVUM_GUARDED_BY(mutex_);
};

struct Session {
  std::string token;
  std::string url;  // of the storage, where the service tells it
  TimestampMs expires_ms = kMaxTime;
};

using KeptSession = Kept<Session>;

}  // namespace aevum::objstore
