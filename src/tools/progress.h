// How far a tool is, on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/logging.h"
#include "base/mutex.h"

namespace aevum::tools {

// One line that is written over and over: "verify [=====>    ] 42% 1.2 of 2.9 GiB, 0.9 GiB/s, 2 s
// left". Thread-safe.
class ProgressBar {
 public:
  using Write = std::function<void(std::string_view)>;
  using TimePoint = std::chrono::steady_clock::time_point;

  // `write` null: nothing is shown. `what` is the word at the beginning.
  ProgressBar(std::string what, Write write) : what_(std::move(what)), write_(std::move(write)) {}
  // Takes the line away.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // More bytes to do, and bytes done.
  void Expect(std::int64_t bytes);
  void Advance(std::int64_t bytes);
  // Runs `print`, which writes whole lines to the same terminal, with the bar out of the way.
  void Around(const std::function<void()>& print);

 private:
  // `now` bounds how often the line changes: ten times a second.
  void ShowLocked(TimePoint now) AEVUM_REQUIRES(mutex_);
  void HideLocked() AEVUM_REQUIRES(mutex_);

  const std::string what_;
  const Write write_;
  Mutex mutex_;
  std::int64_t expected_ AEVUM_GUARDED_BY(mutex_) = 0;
  std::int64_t done_ AEVUM_GUARDED_BY(mutex_) = 0;
  TimePoint began_ AEVUM_GUARDED_BY(mutex_);
  TimePoint shown_at_ AEVUM_GUARDED_BY(mutex_);
  bool shown_ AEVUM_GUARDED_BY(mutex_) = false;
};

// The line: for tests, and for who wants to show it elsewhere.
std::string ProgressLine(std::string_view what, std::int64_t done, std::int64_t expected,
                         std::chrono::duration<double> since);

// A sink of log lines that share the terminal with a bar.
std::shared_ptr<LogSink> BesideBar(std::shared_ptr<LogSink> sink, std::shared_ptr<ProgressBar> bar);

// A bar on standard error when that is a terminal; else one that shows nothing.
std::shared_ptr<ProgressBar> TerminalProgressBar(std::string what);

}  // namespace aevum::tools
