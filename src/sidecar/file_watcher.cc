#include "sidecar/file_watcher.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace aevum::sidecar {
namespace {

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE |
                                IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

int MillisecondsUntil(FileWatcher::TimePoint time) {
  using namespace std::chrono;
  const auto now = steady_clock::now();
  if (time <= now) return 0;
  // Rounded up, so that the time has come when poll returns; an hour at most, then poll again.
  return static_cast<int>(
      std::min<std::int64_t>(ceil<milliseconds>(time - now).count(), 3'600'000));
}

}  // namespace

StatusOr<std::unique_ptr<FileWatcher>> FileWatcher::Create() {
  const int inotify = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify < 0) return Unavailable("start inotify: {}", std::strerror(errno));
  const int wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake < 0) {
    const int error = errno;
    ::close(inotify);
    return Unavailable("create an event: {}", std::strerror(error));
  }
  return std::unique_ptr<FileWatcher>(new FileWatcher(inotify, wake));
}

FileWatcher::~FileWatcher() {
  ::close(inotify_);
  ::close(wake_);
}

Status FileWatcher::Add(const std::string& directory, const std::string& file, bool tree) {
  const int number = ::inotify_add_watch(inotify_, directory.c_str(), kMask | IN_ONLYDIR);
  if (number < 0) {
    const StatusCode code = errno == ENOENT ? StatusCode::kNotFound : StatusCode::kUnavailable;
    return MakeError(code, fmt::format("watch {}: {}", directory, std::strerror(errno)));
  }
  const auto [first, last] = watches_.equal_range(number);
  const bool known = std::any_of(first, last, [&](const auto& entry) {
    return entry.second.file == file && entry.second.tree == tree;
  });
  if (!known) watches_.emplace(number, Watch{directory, file, tree});
  return OkStatus();
}

Status FileWatcher::WatchFile(const std::string& path) {
  const std::filesystem::path file(path);
  const std::string directory = file.has_parent_path() ? file.parent_path().string() : ".";
  return Add(directory, file.filename().string(), false);
}

Status FileWatcher::WatchTree(const std::string& path) {
  RETURN_IF_ERROR(Add(path, "", true));
  std::error_code error;
  auto it = std::filesystem::directory_iterator(path, error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    std::error_code status_error;
    const auto status = it->symlink_status(status_error);
    if (status_error || !std::filesystem::is_directory(status)) continue;
    RETURN_IF_ERROR(WatchTree(it->path().string()));
  }
  if (error) return Unavailable("list {}: {}", path, error.message());
  return OkStatus();
}

FileWatcher::Seen FileWatcher::WaitUntil(TimePoint time) {
  while (true) {
    pollfd files[] = {{inotify_, POLLIN, 0}, {wake_, POLLIN, 0}};
    const int ready = ::poll(files, 2, MillisecondsUntil(time));
    if (ready > 0 && files[1].revents != 0) {
      std::uint64_t count = 0;
      // Read to take the event back; that there is none any more is as good.
      [[maybe_unused]] const ssize_t got = ::read(wake_, &count, sizeof count);
      return {};
    }
    if (ready > 0) {
      // Events of files that do not count do not end the wait.
      if (const Seen seen = ReadEvents(); seen.events + seen.errors > 0) return seen;
    }
    if (std::chrono::steady_clock::now() >= time) return {};
  }
}

FileWatcher::Seen FileWatcher::ReadEvents() {
  Seen seen;
  alignas(inotify_event) char buffer[16 << 10];
  while (true) {
    const ssize_t got = ::read(inotify_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return seen;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event)) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        ++seen.errors;
        continue;
      }
      const std::string name = event->len > 0 ? event->name : "";
      const auto [first, last] = watches_.equal_range(event->wd);
      bool counts = false;
      std::string new_directory;
      for (auto it = first; it != last; ++it) {
        const Watch& watch = it->second;
        counts |= watch.file.empty() || watch.file == name || name.starts_with("..");
        if (watch.tree && (event->mask & IN_ISDIR) != 0 &&
            (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
          new_directory = watch.path + "/" + name;
        }
      }
      if (counts) ++seen.events;
      if ((event->mask & IN_IGNORED) != 0) watches_.erase(event->wd);
      // A directory that is gone again is no error.
      if (!new_directory.empty()) {
        const Status status = WatchTree(new_directory);
        if (!status.ok() && status.code() != StatusCode::kNotFound) ++seen.errors;
      }
    }
  }
}

void FileWatcher::Wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the wait ends as well.
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

}  // namespace aevum::sidecar
