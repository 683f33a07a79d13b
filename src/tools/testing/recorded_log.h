// Log lines kept for a test.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"

namespace aevum::tools::testing {

// Thread-safe.
class RecordedLog {
 public:
  Logger logger() const { return {sink_, LogLevel::kDebug, LogFormat::kLogfmt}; }
  std::vector<std::string> lines() const { return sink_->lines(); }

 private:
  class Sink final : public LogSink {
   public:
    void Write(std::string_view line) override {
      MutexLock lock(mutex_);
      lines_.emplace_back(line);
    }
    std::vector<std::string> lines() {
      MutexLock lock(mutex_);
      return lines_;
    }

   private:
    Mutex mutex_;
    std::vector<std::string> lines_ AEVUM_GUARDED_BY(mutex_);
  };
  const std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
};

}  // namespace aevum::tools::testing
