// What is to be stored in a remote cache, and the threads that do it.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/thread_pool.h"

namespace aevum::cache {

struct CacheWrite {
  std::string key;
  SharedBytes bytes;
  std::chrono::nanoseconds ttl{0};
};

struct WriteQueueOptions {
  std::size_t threads = 20;
  std::size_t max_items = 10'000;
  std::size_t max_bytes = 128 << 20;  // of the items that wait
  std::size_t batch = 100;            // items that are written at once
};

// Bounded by items and bytes; what does not fit is dropped, and what waits at the end of its life
// as well. Thread-safe.
class WriteQueue {
 public:
  // `write` runs on the queue's threads, several at once.
  using Write = std::function<void(std::vector<CacheWrite> batch)>;
  WriteQueue(WriteQueueOptions options, Write write);
  ~WriteQueue() { Stop(); }

  // False when it is full.
  bool Push(CacheWrite item);
  // Lets the running writes end. Idempotent.
  void Stop();

 private:
  void Drain();
  std::vector<CacheWrite> TakeBatch();

  const WriteQueueOptions options_;
  const Write write_;
  Mutex mutex_;
  std::deque<CacheWrite> items_ AEVUM_GUARDED_BY(mutex_);
  std::size_t bytes_ AEVUM_GUARDED_BY(mutex_) = 0;
  std::size_t running_ AEVUM_GUARDED_BY(mutex_) = 0;  // tasks of the pool that drain
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  ThreadPool pool_;
};

}  // namespace aevum::cache
