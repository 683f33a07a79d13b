// The bytes on their way from a handler's thread to the event loop, bounded.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <string>

#include "base/mutex.h"

namespace aevum::net {

// Thread-safe. Push and Finish belong to the handler, the rest to the loop.
class Outbox {
 public:
  // What one connection may have waiting: four pieces of the response writer.
  static constexpr std::size_t kLimitBytes = 256 << 10;

  enum class Ending { kNone, kKeepAlive, kClose, kBroken };

  // `wake` tells the loop that there is something to take; it is called with no lock held.
  Outbox(std::chrono::milliseconds push_timeout, std::function<void()> wake)
      : push_timeout_(push_timeout), wake_(std::move(wake)) {}

  // Waits for room. False when the connection is closed, or there is no room in time.
  bool Push(std::string bytes);
  // The last bytes of an answer, without waiting, and what follows it.
  void Finish(std::string bytes, Ending ending);

  // Everything that waits, "" when nothing does. It counts until Written().
  std::string Take();
  void Written(std::size_t bytes);
  // How the answer ends, once all its bytes are taken; kNone before, and again after Restart().
  // kBroken is told at once: the bytes that wait are of no use.
  Ending ending() const;
  void Restart();
  void Close();

 private:
  void Append(std::string bytes) AEVUM_REQUIRES(mutex_);

  const std::chrono::milliseconds push_timeout_;
  const std::function<void()> wake_;
  mutable Mutex mutex_;
  std::condition_variable room_;
  std::string waiting_ AEVUM_GUARDED_BY(mutex_);
  std::size_t held_bytes_ AEVUM_GUARDED_BY(mutex_) = 0;  // waiting, or taken and not written
  Ending ending_ AEVUM_GUARDED_BY(mutex_) = Ending::kNone;
  bool woken_ AEVUM_GUARDED_BY(mutex_) = false;
  bool closed_ AEVUM_GUARDED_BY(mutex_) = false;
};

}  // namespace aevum::net
