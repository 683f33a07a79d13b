// A real Prometheus for tests, on a free loopback port and with a data directory of its own.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "base/status.h"

namespace aevum::sidecar {

struct PrometheusOptions {
  std::string config;       // the text of prometheus.yml
  std::string openmetrics;  // samples that are in its blocks from the start, "" for none
  std::vector<std::string> flags;
  std::string process_name = "prometheus";  // by which signals find it
};

// Ends the process, by its id, at the end of its life.
class PrometheusProcess {
 public:
  // The program: $AEVUM_PROMETHEUS, or `prometheus` of the PATH, or the one in deps/ beside the
  // build directory. "" when there is none; then tests skip.
  static std::string FindProgram();
  // What such a test says.
  static constexpr const char* kSkip =
      "no Prometheus: set AEVUM_PROMETHEUS to its program, or put it into the PATH";

  // Returns when Prometheus says that it is ready.
  static StatusOr<std::unique_ptr<PrometheusProcess>> Start(const PrometheusOptions& options);
  ~PrometheusProcess();
  PrometheusProcess(const PrometheusProcess&) = delete;
  PrometheusProcess& operator=(const PrometheusProcess&) = delete;

  // Ends it at once; it can't be started again.
  void Kill();
  Status WriteConfig(const std::string& text) const;

  const std::string& url() const { return url_; }
  int pid() const { return pid_; }
  std::string config_path() const { return directory_.File("prometheus.yml"); }

 private:
  PrometheusProcess(TemporaryDirectory directory, std::string url)
      : directory_(std::move(directory)), url_(std::move(url)) {}
  // False when it ended before it was ready.
  bool WaitUntilReady();

  TemporaryDirectory directory_;
  std::string url_;
  int pid_ = 0;
  int log_ = -1;
  std::thread log_reader_;
};

}  // namespace aevum::sidecar
