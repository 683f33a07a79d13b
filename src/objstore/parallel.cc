#include "objstore/parallel.h"

#include <algorithm>
#include <condition_variable>
#include <memory>

#include "base/mutex.h"

namespace aevum::objstore {
namespace {

// Shared with the tasks in the pool, which may start after the call has returned and then find
// nothing to do; `work` is touched only for an index that was taken.
class Run {
 public:
  Run(std::size_t count, const std::function<Status(std::size_t)>& work)
      : count_(count), work_(work) {}

  void Help() {
    while (true) {
      std::size_t index = 0;
      {
        MutexLock lock(mutex_);
        if (next_ >= count_ || !status_.ok()) return;
        index = next_++;
        ++running_;
      }
      const Status status = work_(index);
      MutexLock lock(mutex_);
      if (status_.ok()) status_ = status;
      if (--running_ == 0) ended_.notify_all();
    }
  }

  // To be called after Help() has returned: nothing new starts then.
  Status Wait() {
    MutexLock lock(mutex_);
    while (running_ > 0) lock.Wait(ended_);
    return status_;
  }

 private:
  const std::size_t count_;
  const std::function<Status(std::size_t)>& work_;
  Mutex mutex_;
  std::condition_variable ended_;
  std::size_t next_ AEVUM_GUARDED_BY(mutex_) = 0;
  std::size_t running_ AEVUM_GUARDED_BY(mutex_) = 0;
  Status status_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace

Status RunParallel(ThreadPool* pool, std::size_t count, std::size_t width,
                   const std::function<Status(std::size_t index)>& work) {
  const auto run = std::make_shared<Run>(count, work);
  if (pool != nullptr) {
    for (std::size_t helper = 1; helper < std::min(width, count); ++helper) {
      if (!pool->Submit([run] { run->Help(); })) break;
    }
  }
  run->Help();
  return run->Wait();
}

}  // namespace aevum::objstore
