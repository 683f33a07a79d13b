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
  std::vector<std::string> lines() const {
    MutexLock lock(sink_->mutex);
    return sink_->lines;
  }

 private:
  struct Sink final : LogSink {
    void Write(std::string_view line) override {
      MutexLock lock(mutex);
      lines.emplace_back(line);
    }
    Mutex mutex;
    std::vector<std::string> lines AEVUM_GUARDED_BY(mutex);
  };
  const std::shared_ptr<Sink> sink_ = std::make_shared<Sink>();
};

}  // namespace aevum::tools::testing
