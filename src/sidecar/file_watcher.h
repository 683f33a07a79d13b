// Tells when files change, by inotify.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "base/status.h"

namespace aevum::sidecar {

// Watches files and trees of directories. It says that something happened, not what: whoever asks
// looks at the files again. Used by one thread, but for Wake.
class FileWatcher {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Seen {
    std::size_t events = 0;
    std::size_t errors = 0;  // lost events, and directories that could not be watched
  };

  static StatusOr<std::unique_ptr<FileWatcher>> Create();
  ~FileWatcher();
  FileWatcher(const FileWatcher&) = delete;
  FileWatcher& operator=(const FileWatcher&) = delete;

  // Watches a file by its directory, so that a file which is replaced is seen, and one behind the
  // symbolic links that Kubernetes swaps (their names start with "..").
  Status WatchFile(const std::string& path);
  // Watches a directory and those below it, also those that come later. Links to directories are
  // not followed, but for `path` itself.
  Status WatchTree(const std::string& path);

  // Waits for events until a time, or until Wake. Zero events: the time came, or Wake.
  Seen WaitUntil(TimePoint time);
  // Ends this wait or the next one. Any thread.
  void Wake();

  std::size_t watches() const { return watches_.size(); }

 private:
  struct Watch {
    std::string path;
    std::string file;  // its base name when only one file of the directory counts
    bool tree = false;
  };

  FileWatcher(int inotify, int wake) : inotify_(inotify), wake_(wake) {}
  Status Add(const std::string& directory, const std::string& file, bool tree);
  Seen ReadEvents();

  const int inotify_;
  const int wake_;
  std::multimap<int, Watch> watches_;  // by inotify's number, which two watches of a path share
};

}  // namespace aevum::sidecar
