// A fixed number of named threads behind a bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace aevum {

// Runs tasks in the order in which they came. Thread-safe.
class ThreadPool {
 public:
  // Starts `threads` threads named after `name` (the kernel keeps 15 bytes). The queue holds
  // `queue_limit` tasks that have not started.
  ThreadPool(std::string name, std::size_t threads, std::size_t queue_limit);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False, and the task is dropped, when the queue is full or the pool stops.
  bool Submit(std::function<void()> task);
  // Lets queued and running tasks end, then joins. Idempotent.
  void Stop();

  std::size_t threads() const { return threads_.size(); }
  std::size_t queued() const;

 private:
  void Run();

  const std::string name_;
  const std::size_t queue_limit_;
  mutable Mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_ AEVUM_GUARDED_BY(mutex_);
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace aevum
