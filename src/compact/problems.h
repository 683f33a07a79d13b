// What a compactor leaves out, and why: named in the log, a metric and the API.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"

namespace aevum::compact {

struct Problem {
  std::string what;
  TimestampMs since_ms = 0;
};

// By what they are about: a block's ULID, or "group …". Thread-safe.
class Problems {
 public:
  // `on_count` is told their number when it changes.
  Problems(Logger logger, const Clock& clock, std::function<void(std::size_t count)> on_count)
      : logger_(std::move(logger)), clock_(clock), on_count_(std::move(on_count)) {}

  // Logs it when it is new or another than before. The oldest goes when there are too many.
  void Report(const std::string& about, const Status& why);
  void Resolve(const std::string& about);
  std::map<std::string, Problem> List() const;

 private:
  const Logger logger_;
  const Clock& clock_;
  const std::function<void(std::size_t)> on_count_;
  mutable Mutex mutex_;
  std::map<std::string, Problem> problems_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::compact
