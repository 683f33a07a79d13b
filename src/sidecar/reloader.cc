#include "sidecar/reloader.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/files.h"
#include "encoding/gunzip.h"

namespace aevum::sidecar {
namespace {

using Clock = std::chrono::steady_clock;

// SHA-256 over names and contents of files.
class ContentHash {
 public:
  ContentHash() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    AEVUM_CHECK(context_ != nullptr &&
                EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  // Sizes go first, so that two files never read as one.
  void Add(std::string_view path, std::string_view bytes) {
    Update(fmt::format("{} {} ", path.size(), bytes.size()));
    Update(path);
    Update(bytes);
  }
  std::string Finish() {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned int size = 0;
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size);
    digest.resize(size);
    return digest;
  }

 private:
  void Update(std::string_view bytes) {
    EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
  }

  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

// Adds the files of a directory and of those below it. Links to files are followed, links to
// directories are not, so that the walk ends.
Status AddTree(const std::string& path, ContentHash* hash) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(path));
  for (const std::string& name : names) {
    const std::string entry = path + "/" + name;
    std::error_code error;
    const auto own = std::filesystem::symlink_status(entry, error);
    if (!error && std::filesystem::is_directory(own)) {
      RETURN_IF_ERROR(AddTree(entry, hash));
      continue;
    }
    const auto target = std::filesystem::status(entry, error);
    if (!std::filesystem::is_regular_file(target)) continue;
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(entry));
    hash->Add(entry, bytes);
  }
  return OkStatus();
}

prometheus::Counter& AddCounter(prometheus::Registry& registry, const char* name,
                                const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Gauge& AddGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

struct Reloader::Metrics {
  Metrics(prometheus::Registry& registry, ReloadMethod method)
      : reloads(AddCounter(registry, "thanos_sidecar_reloader_reloads_total",
                           "Reloads that were asked of Prometheus.")),
        reloads_failed(AddCounter(registry, "thanos_sidecar_reloader_reloads_failed_total",
                                  "Reloads that Prometheus did not do.")),
        last_successful(AddGauge(registry, "thanos_sidecar_reloader_last_reload_successful",
                                 "1 when the last reload succeeded.")),
        last_success_time(AddGauge(registry,
                                   "thanos_sidecar_reloader_last_reload_success_timestamp_seconds",
                                   "Unix time of the last successful reload.")),
        applies(AddCounter(registry, "thanos_sidecar_reloader_config_apply_operations_total",
                           "How often the watched files were read again.")),
        applies_failed(AddCounter(registry,
                                  "thanos_sidecar_reloader_config_apply_operations_failed_total",
                                  "How often the watched files could not be read or expanded.")),
        expansion_errors(AddGauge(
            registry, "thanos_sidecar_reloader_config_environment_variable_expansion_errors",
            "References to unset environment variables in the last expansion.")),
        watches(AddGauge(registry, "thanos_sidecar_reloader_watches",
                         "Directories and files that are watched.")),
        watch_events(AddCounter(registry, "thanos_sidecar_reloader_watch_events_total",
                                "Events of the watched files.")),
        watch_errors(AddCounter(registry, "thanos_sidecar_reloader_watch_errors_total",
                                "Events that were lost, and directories that can't be watched.")) {
    prometheus::BuildGauge()
        .Name("thanos_sidecar_reloader_info")
        .Help("Constant 1, with the method of reloading.")
        .Register(registry)
        .Add({{"method", method == ReloadMethod::kHttp ? "http" : "signal"}})
        .Set(1);
  }

  prometheus::Counter& reloads;
  prometheus::Counter& reloads_failed;
  prometheus::Gauge& last_successful;
  prometheus::Gauge& last_success_time;
  prometheus::Counter& applies;
  prometheus::Counter& applies_failed;
  prometheus::Gauge& expansion_errors;
  prometheus::Gauge& watches;
  prometheus::Counter& watch_events;
  prometheus::Counter& watch_errors;
};

Reloader::Reloader(ReloaderOptions options, ReloadTrigger trigger, Logger logger,
                   prometheus::Registry& registry)
    : options_(std::move(options)),
      trigger_(std::move(trigger)),
      logger_(logger.With("component", "reloader")),
      metrics_(std::make_unique<Metrics>(registry, options_.method)) {}

Reloader::~Reloader() { AEVUM_CHECK(!thread_.joinable()); }

Status Reloader::Start() {
  if (!HasWork()) {
    logger_.Info("nothing to be watched");
    return OkStatus();
  }
  // Before the files are read: a change between the two is seen by the watch.
  if (options_.watch_interval.count() > 0) {
    ASSIGN_OR_RETURN(watcher_, FileWatcher::Create());
    RETURN_IF_ERROR(Watch());
  }
  RETURN_IF_ERROR(ReadFiles().status());
  if (watcher_ == nullptr) return OkStatus();
  thread_ = std::thread([this] { Run(); });
  return OkStatus();
}

void Reloader::Stop() {
  running_.Cancel();
  if (watcher_ != nullptr) watcher_->Wake();
  if (thread_.joinable()) thread_.join();
}

Status Reloader::Watch() {
  if (!options_.config_file.empty()) RETURN_IF_ERROR(watcher_->WatchFile(options_.config_file));
  for (const std::string& dir : options_.rule_dirs) RETURN_IF_ERROR(watcher_->WatchTree(dir));
  metrics_->watches.Set(static_cast<double>(watcher_->watches()));
  return OkStatus();
}

void Reloader::Run() {
  std::string reloaded;  // the hash that the last successful reload saw
  bool first = true;
  bool retry = false;
  while (!running_.context().cancelled()) {
    if (!first && !retry) metrics_->applies.Increment();
    // A directory that was removed and made again needs its watch back.
    if (!first && !Watch().ok()) metrics_->watch_errors.Increment();
    auto wait = options_.watch_interval;
    const StatusOr<std::string> hash = ReadFiles();
    if (!hash.ok()) {
      metrics_->applies_failed.Increment();
      logger_.Error("apply error", {{"err", hash.status()}});
      retry = false;
    } else if (first || retry || *hash != reloaded) {
      const Status status = Trigger();
      retry = !status.ok();
      if (status.ok()) {
        reloaded = *hash;
      } else {
        wait = std::min(wait, options_.retry_interval);
      }
    }
    first = false;
    if (!running_.context().cancelled()) WaitForChange(Clock::now() + wait);
  }
}

Status Reloader::Trigger() {
  metrics_->reloads.Increment();
  // As long as the next look at the files is away; a Prometheus that loads many rules takes its
  // time.
  const Status status = trigger_(running_.context().WithTimeout(options_.watch_interval));
  if (!status.ok()) {
    if (running_.context().cancelled()) return status;
    metrics_->reloads_failed.Increment();
    metrics_->last_successful.Set(0);
    logger_.Error("failed to trigger reload, retrying", {{"err", status}});
    return status;
  }
  metrics_->last_successful.Set(1);
  metrics_->last_success_time.SetToCurrentTime();
  logger_.Info("reload triggered",
               {{"cfg_in", options_.config_file},
                {"cfg_out", options_.config_envsubst_file},
                {"watched_dirs", fmt::format("{}", fmt::join(options_.rule_dirs, ", "))}});
  return status;
}

void Reloader::WaitForChange(FileWatcher::TimePoint until) {
  FileWatcher::Seen seen = watcher_->WaitUntil(until);
  Count(seen);
  // Quiet for one debounce interval, but changes without end wait ten at most.
  const auto latest = Clock::now() + 10 * options_.debounce;
  while (seen.events + seen.errors > 0 && Clock::now() < latest &&
         !running_.context().cancelled()) {
    seen = watcher_->WaitUntil(Clock::now() + options_.debounce);
    Count(seen);
  }
}

void Reloader::Count(const FileWatcher::Seen& seen) {
  if (seen.events > 0) metrics_->watch_events.Increment(static_cast<double>(seen.events));
  if (seen.errors > 0) {
    metrics_->watch_errors.Increment(static_cast<double>(seen.errors));
    logger_.Error("watch error", {{"errors", seen.errors}});
  }
  metrics_->watches.Set(static_cast<double>(watcher_->watches()));
}

StatusOr<std::string> Reloader::ReadFiles() {
  ContentHash hash;
  if (!options_.config_file.empty()) {
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(options_.config_file));
    hash.Add(options_.config_file, bytes);
    if (!options_.config_envsubst_file.empty()) {
      Status status = ExpandConfig(bytes);
      if (!status.ok()) return Annotate(std::move(status), options_.config_file);
    }
  }
  for (const std::string& dir : options_.rule_dirs) {
    // The directory itself may be a link, as a mounted volume is.
    std::error_code error;
    const std::string real = std::filesystem::canonical(dir, error).string();
    if (error) return Unavailable("resolve {}: {}", dir, error.message());
    RETURN_IF_ERROR(AddTree(real, &hash));
  }
  return hash.Finish();
}

Status Reloader::ExpandConfig(const std::string& bytes) {
  std::string text = bytes;
  if (encoding::IsGzip(bytes)) {
    ASSIGN_OR_RETURN(text, encoding::Gunzip(bytes));
  }
  std::size_t unset = 0;
  StatusOr<std::string> expanded = ExpandEnvironment(text, options_.environment, &unset);
  metrics_->expansion_errors.Set(static_cast<double>(unset));
  if (!expanded.ok()) return expanded.status();
  // An output beside the watched files must not wake the watcher each time they are read.
  if (expanded_ == *expanded && std::filesystem::exists(options_.config_envsubst_file)) {
    return OkStatus();
  }
  RETURN_IF_ERROR(WriteFileAtomically(options_.config_envsubst_file, *expanded));
  expanded_ = std::move(*expanded);
  return OkStatus();
}

}  // namespace aevum::sidecar
