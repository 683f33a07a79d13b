// A thread that watches sockets and runs what others post to it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace aevum::net::grpc {

// One epoll set, one thread, one read buffer for all its sockets. A socket stays on its loop for
// ever, and what belongs to it is touched by this thread alone, so it needs no lock.
//
// Post() is thread-safe; everything else is for the loop's own thread.
class Loop {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Task = std::function<void()>;

  // Who is told about a descriptor. Must not throw.
  class Handler {
   public:
    virtual ~Handler() = default;
    // `events` as of epoll; readiness is level-triggered.
    virtual void OnReady(std::uint32_t events) = 0;
    // Once per tick of the loop.
    virtual void OnTick(TimePoint now) = 0;
  };

  static constexpr std::size_t kReadBufferBytes = 256 << 10;

  Loop(std::string name, std::chrono::milliseconds tick);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Status Start();
  // Lets go of all handlers and joins. Tasks that have not run are dropped. Idempotent; not from
  // the loop's own thread.
  void Stop();

  // Runs tasks in the order in which they came. After Stop they are dropped.
  void Post(Task task);

  // Keeps the handler until Forget. One handler per descriptor.
  Status Watch(int fd, std::uint32_t events, std::shared_ptr<Handler> handler);
  void Change(int fd, std::uint32_t events);
  void Forget(int fd);
  void After(std::chrono::milliseconds delay, Task task);

  bool OnThread() const { return std::this_thread::get_id() == thread_id_.load(); }
  char* read_buffer() { return read_buffer_.get(); }
  // Shared scratch: plain bytes of TLS. Empty between uses.
  std::string& plain() { return plain_; }

 private:
  struct Entry {
    std::shared_ptr<Handler> handler;
    std::uint64_t serial = 0;  // tells a reused descriptor from the one before
  };

  void Run();
  void RunPosted();
  void RunTimers();
  void Tick();
  int WaitMilliseconds();

  const std::string name_;
  const std::chrono::milliseconds tick_;
  int epoll_ = -1;
  int wake_fd_ = -1;
  std::unique_ptr<char[]> read_buffer_;
  std::string plain_;
  std::unordered_map<int, Entry> entries_;
  std::uint64_t next_serial_ = 1;
  std::multimap<TimePoint, Task> timers_;
  TimePoint next_tick_;

  Mutex mutex_;
  std::vector<Task> posted_ AEVUM_GUARDED_BY(mutex_);
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;

  std::atomic<std::thread::id> thread_id_;
  std::thread thread_;
};

}  // namespace aevum::net::grpc
