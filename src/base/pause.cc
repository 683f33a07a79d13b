#include "base/pause.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace aevum {

Status Pause(const Context& context, std::chrono::nanoseconds time) {
  std::mutex mutex;
  std::condition_variable_any ended;
  std::unique_lock lock(mutex);
  const auto until = std::chrono::steady_clock::now() + std::min(time, context.remaining());
  ended.wait_until(lock, context.stop_token(), until, [] { return false; });
  return context.status();
}

}  // namespace aevum
