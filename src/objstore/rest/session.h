// What a service gave for a time, kept as long as it is good.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "base/status.h"

namespace aevum::objstore {

// Keeps a T, which says in `expires_ms` how long it is good. Thread-safe: one thread asks at a
// time, the others wait for its answer.
template <typename T>
class Kept {
 public:
  using Ask = std::function<StatusOr<T>(const Context& context)>;

  Kept(Ask ask, const Clock& clock,
       std::chrono::milliseconds renew_before = std::chrono::minutes(1))
      : ask_(std::move(ask)), clock_(clock), renew_before_(renew_before) {}

  // Asks when there is none, or when it expires within the time given.
  StatusOr<T> Get(const Context& context) {
    MutexLock lock(mutex_);
    if (!kept_ || clock_.NowMs() >= kept_->expires_ms - renew_before_.count()) {
      ASSIGN_OR_RETURN(kept_, ask_(context));
    }
    return *kept_;
  }

  void Forget() {
    MutexLock lock(mutex_);
    kept_.reset();
  }

 private:
  const Ask ask_;
  const Clock& clock_;
  const std::chrono::milliseconds renew_before_;
  Mutex mutex_;
  std::optional<T> kept_ AEVUM_GUARDED_BY(mutex_);
};

struct Session {
  std::string token;
  std::string url;  // of the storage, where the service tells it
  TimestampMs expires_ms = kMaxTime;
};

using KeptSession = Kept<Session>;

}  // namespace aevum::objstore
