#include "net/grpc/loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace aevum::net::grpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Status SystemError(std::string_view what) {
  return Unavailable("{} failed: {}", what, std::generic_category().message(errno));
}

}  // namespace

Loop::Loop(std::string name, milliseconds tick)
    : name_(std::move(name)), tick_(tick), read_buffer_(new char[kReadBufferBytes]) {}

Loop::~Loop() { Stop(); }

Status Loop::Start() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return SystemError("epoll_create");
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return SystemError("eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 0;  // serial 0 is the wake-up
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) return SystemError("epoll_ctl");
  next_tick_ = steady_clock::now() + tick_;
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), name_.substr(0, 15).c_str());
  return OkStatus();
}

void Loop::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    // A full counter means that the loop is about to wake up anyway.
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof(one));
    thread_.join();
  }
  if (wake_fd_ >= 0) ::close(wake_fd_);
  if (epoll_ >= 0) ::close(epoll_);
  wake_fd_ = epoll_ = -1;
}

void Loop::Post(Task task) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    posted_.push_back(std::move(task));
    if (posted_.size() > 1) return;  // whoever came first has woken the loop
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof(one));
}

Status Loop::Watch(int fd, std::uint32_t events, std::shared_ptr<Handler> handler) {
  const std::uint64_t serial = next_serial_++;
  epoll_event event{};
  event.events = events;
  event.data.u64 = serial << 32 | static_cast<std::uint32_t>(fd);
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return SystemError("epoll_ctl");
  entries_[fd] = {std::move(handler), serial};
  return OkStatus();
}

void Loop::Change(int fd, std::uint32_t events) {
  const auto entry = entries_.find(fd);
  if (entry == entries_.end()) return;
  epoll_event event{};
  event.events = events;
  event.data.u64 = entry->second.serial << 32 | static_cast<std::uint32_t>(fd);
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Loop::Forget(int fd) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  entries_.erase(fd);
}

void Loop::After(milliseconds delay, Task task) {
  timers_.emplace(steady_clock::now() + delay, std::move(task));
}

void Loop::RunPosted() {
  std::vector<Task> tasks;
  {
    MutexLock lock(mutex_);
    tasks.swap(posted_);
  }
  for (Task& task : tasks) task();
}

void Loop::RunTimers() {
  while (!timers_.empty() && timers_.begin()->first <= steady_clock::now()) {
    const Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    task();
  }
}

void Loop::Tick() {
  const TimePoint now = steady_clock::now();
  if (now < next_tick_) return;
  next_tick_ = now + tick_;
  std::vector<std::shared_ptr<Handler>> handlers;  // a tick may add and forget
  handlers.reserve(entries_.size());
  for (const auto& [fd, entry] : entries_) handlers.push_back(entry.handler);
  for (const auto& handler : handlers) handler->OnTick(now);
}

int Loop::WaitMilliseconds() {
  TimePoint until = next_tick_;
  if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
  const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Loop::Run() {
  thread_id_ = std::this_thread::get_id();
  std::array<epoll_event, 64> events;
  while (true) {
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), WaitMilliseconds());
    for (int i = 0; i < count; ++i) {
      const std::uint64_t key = events[static_cast<std::size_t>(i)].data.u64;
      if (key == 0) {
        std::uint64_t counter = 0;
        [[maybe_unused]] const ssize_t n = ::read(wake_fd_, &counter, sizeof(counter));
        continue;
      }
      const auto entry = entries_.find(static_cast<int>(key & 0xffffffff));
      if (entry == entries_.end() || (entry->second.serial & 0xffffffff) != key >> 32) continue;
      const std::shared_ptr<Handler> handler = entry->second.handler;
      handler->OnReady(events[static_cast<std::size_t>(i)].events);
    }
    RunPosted();
    RunTimers();
    Tick();
    MutexLock lock(mutex_);
    if (stopping_) break;
  }
  timers_.clear();
  entries_.clear();
  std::vector<Task> dropped;
  MutexLock lock(mutex_);
  dropped.swap(posted_);
}

}  // namespace aevum::net::grpc
