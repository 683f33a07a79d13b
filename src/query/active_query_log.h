// Remembers on disk which queries run, so that after a crash one can see which they were.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"

namespace aevum::query {

// The file `queries.active` of Prometheus: a place of 1,000 bytes for each query that may run.
//
//     '[' | places x { JSON object | zeros | ',' at the last byte }; a free place is all zeros
//
//     {"query":"sum(up)","timestamp_sec":1700000000}
//
// Without the zeros it is a JSON array that lacks its end. A query that does not fit is cut.
//
// A place is written before its query runs and zeroed after, each with one write to the page
// cache, which outlives the process. Thread-safe.
class ActiveQueryLog {
 public:
  // Logs the queries that the last run has left in the directory's file, then makes the file anew.
  // What is damaged in it is passed over. Unavailable when directory or file can't be made.
  static StatusOr<std::shared_ptr<ActiveQueryLog>> Open(const std::string& directory,
                                                        std::size_t places, Logger logger,
                                                        const Clock& clock = Clock::System());
  ~ActiveQueryLog();

  // A query that runs, until the end of the object's life.
  class Entry {
   public:
    // Without a log (null) nothing happens; `log` must outlive the entry.
    Entry(ActiveQueryLog* log, std::string_view query);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    ActiveQueryLog* const log_;
    std::size_t place_;
  };

 private:
  static constexpr std::size_t kNoPlace = SIZE_MAX;

  ActiveQueryLog(int file, std::size_t places, Logger logger, const Clock& clock);
  // kNoPlace when all are taken, which can't be behind a gate of as many places.
  std::size_t Insert(std::string_view query);
  void Erase(std::size_t place);
  void Write(std::size_t place, std::string_view bytes);

  const int file_;
  const Logger logger_;
  const Clock& clock_;
  Mutex mutex_;
  std::vector<std::size_t> free_ AEVUM_GUARDED_BY(mutex_);
  bool told_failure_ AEVUM_GUARDED_BY(mutex_) = false;
};

}  // namespace aevum::query
