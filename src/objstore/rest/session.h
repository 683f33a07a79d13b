// A token that a service gave, kept as long as it is good.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/context.h"
#include "base/mutex.h"
#include "base/status.h"

namespace aevum::objstore {

struct Session {
  std::string token;
  std::string url;  // of the storage, where the service tells it
  TimestampMs expires_ms = kMaxTime;
};

// Thread-safe: one thread asks at a time, the others wait for its answer.
class KeptSession {
 public:
  using Ask = std::function<StatusOr<Session>(const Context& context)>;

  KeptSession(Ask ask, const Clock& clock) : ask_(std::move(ask)), clock_(clock) {}
  // Asks when there is none, or when it expires within a minute.
  StatusOr<Session> Get(const Context& context);
  void Forget();

 private:
  const Ask ask_;
  const Clock& clock_;
  Mutex mutex_;
  std::optional<Session> kept_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::objstore
