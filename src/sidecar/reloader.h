// Watches Prometheus's configuration and rules, and makes it read them again when they change.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/context.h"
#include "base/environment.h"
#include "base/logging.h"
#include "base/status.h"
#include "sidecar/file_watcher.h"
#include "sidecar/reload_trigger.h"

namespace prometheus {
class Registry;
}

namespace aevum::sidecar {

enum class ReloadMethod { kHttp, kSignal };

struct ReloaderOptions {
  std::string config_file;           // "": none to watch
  std::string config_envsubst_file;  // "": the configuration is not expanded
  std::vector<std::string> rule_dirs;
  // Files are looked at again after this time without an event; zero: the configuration is expanded
  // once, nothing is watched and nothing reloaded.
  std::chrono::nanoseconds watch_interval = std::chrono::minutes(3);
  std::chrono::nanoseconds retry_interval = std::chrono::seconds(5);
  // Editors and Kubernetes change several files at once: how long it must be quiet.
  std::chrono::nanoseconds debounce = std::chrono::milliseconds(100);
  ReloadMethod method = ReloadMethod::kHttp;
  std::string process_name = "prometheus";
  Environment environment = ProcessEnvironment();
};

// One thread reads the files again when they change and each watch interval, writes the expanded
// configuration, and triggers a reload when what it read differs from what the last successful
// reload saw. A reload that failed is tried again each retry interval.
class Reloader {
 public:
  Reloader(ReloaderOptions options, ReloadTrigger trigger, Logger logger,
           prometheus::Registry& registry);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // Expands the configuration and starts to watch. An error when a file can't be read, expanded,
  // written or watched now; after the start such errors are logged, counted and tried again.
  Status Start();
  // Idempotent; ends a reload that is on its way.
  void Stop();

 private:
  struct Metrics;

  bool HasWork() const { return !options_.config_file.empty() || !options_.rule_dirs.empty(); }
  void Run();
  // Watches what is not watched yet.
  Status Watch();
  // Reads and expands the files: the hash of what they hold.
  StatusOr<std::string> ReadFiles();
  Status ExpandConfig(const std::string& bytes);
  Status Trigger();
  void WaitForChange(FileWatcher::TimePoint until);
  void Count(const FileWatcher::Seen& seen);

  const ReloaderOptions options_;
  const ReloadTrigger trigger_;
  const Logger logger_;
  const std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<FileWatcher> watcher_;
  std::optional<std::string> expanded_;  // what was written last
  CancelScope running_{Context::Background()};
  std::thread thread_;
};

}  // namespace aevum::sidecar
