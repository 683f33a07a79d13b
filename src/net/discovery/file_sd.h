// Targets out of files: the file service discovery of Prometheus.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"

namespace aevum::net {

// The targets of one file, in order: a list of {targets, labels}, YAML or JSON. Labels are checked
// for their form and dropped. InvalidArgument names the line.
StatusOr<std::vector<std::string>> ParseTargetGroups(std::string_view text);

// Follows the files of some patterns ("dir/*.yml"). It has no thread: its owner calls Refresh, as
// often as it likes. Thread-safe.
class FileDiscovery {
 public:
  FileDiscovery(std::vector<std::string> patterns, Logger logger)
      : patterns_(std::move(patterns)), logger_(std::move(logger)) {}

  // InvalidArgument for a pattern whose name does not end in .yml, .yaml or .json.
  static Status CheckPattern(std::string_view pattern);

  // Reads new and changed files (by time, size and inode). A file that can't be used keeps its last
  // targets and is named in the log, once for each of its states; one that is gone loses them. True
  // when the list of addresses changed.
  bool Refresh();

  // Sorted, each once.
  std::vector<std::string> Addresses() const;

 private:
  struct State {
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const State&) const = default;
  };
  struct File {
    State state;
    std::vector<std::string> targets;
  };

  std::vector<std::string> Matches() const;

  const std::vector<std::string> patterns_;
  const Logger logger_;
  mutable Mutex mutex_;
  std::map<std::string, File> files_ AEVUM_GUARDED_BY(mutex_);
  std::vector<std::string> addresses_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::net
