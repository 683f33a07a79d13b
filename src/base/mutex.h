// std::mutex with the annotations of clang's thread-safety analysis.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#if defined(__clang__)
#define AEVUM_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define AEVUM_THREAD_ANNOTATION(x)
#endif

#define AEVUM_CAPABILITY(x) AEVUM_THREAD_ANNOTATION(capability(x))
#define AEVUM_SCOPED_CAPABILITY AEVUM_THREAD_ANNOTATION(scoped_lockable)
// The member may only be touched with the mutex held.
#define AEVUM_GUARDED_BY(x) AEVUM_THREAD_ANNOTATION(guarded_by(x))
// The function must be called with the mutex held.
#define AEVUM_REQUIRES(...) AEVUM_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define AEVUM_EXCLUDES(...) AEVUM_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define AEVUM_ACQUIRE(...) AEVUM_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define AEVUM_RELEASE(...) AEVUM_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define AEVUM_NO_THREAD_SAFETY_ANALYSIS AEVUM_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace aevum {

class AEVUM_CAPABILITY("mutex") Mutex {
 public:
  void Lock() AEVUM_ACQUIRE() { mutex_.lock(); }
  void Unlock() AEVUM_RELEASE() { mutex_.unlock(); }
  // For std::unique_lock of a wait.
  std::mutex& native() { return mutex_; }

 private:
  std::mutex mutex_;
};

// Holds a mutex for a scope.
class AEVUM_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) AEVUM_ACQUIRE(mutex) : lock_(mutex.native()) {}
  ~MutexLock() AEVUM_RELEASE() {}
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // Waits on a condition with the lock given up meanwhile. Wake-ups can be spurious: loop.
  void Wait(std::condition_variable& condition) { condition.wait(lock_); }
  // False when the time came first.
  template <typename TimePoint>
  bool WaitUntil(std::condition_variable& condition, const TimePoint& time) {
    return condition.wait_until(lock_, time) == std::cv_status::no_timeout;
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

// A value that many read and few replace: readers take the pointer, writers swap it.
// Thread-safe. Not std::atomic<std::shared_ptr>, which g++ 12 implements with a false race.
template <typename T>
class Snapshot {
 public:
  explicit Snapshot(std::shared_ptr<const T> value = nullptr) : value_(std::move(value)) {}
  std::shared_ptr<const T> Get() const {
    MutexLock lock(mutex_);
    return value_;
  }
  void Set(std::shared_ptr<const T> value) {
    MutexLock lock(mutex_);
    value_.swap(value);
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const T> value_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum
