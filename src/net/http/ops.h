// What operators ask every component: is it healthy, is it ready, what are its metrics.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"
#include "net/http/server.h"

namespace prometheus {
class Collectable;
class Gauge;
class Registry;
}  // namespace prometheus

namespace aevum::net {

// Health and readiness of one component; at first neither. Also shown as thanos_status{component,
// check}. Thread-safe.
class Probe {
 public:
  // `metrics` may be null.
  Probe(std::string component, Logger logger, const std::shared_ptr<prometheus::Registry>& metrics);
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // Each change is logged, once; the reason of another state replaces the old one silently.
  void SetReady();
  void SetNotReady(std::string_view reason);
  void SetHealthy();
  void SetNotHealthy(std::string_view reason);

  bool ready() const;
  bool healthy() const;
  // Why it is not ready, for messages; "" when it is.
  std::string not_ready_reason() const;

  // Calls `hook` with the readiness now and at each change, in order; the gRPC health service
  // follows so. The hook must not call the probe.
  void OnReadyChange(std::function<void(bool ready)> hook);

 private:
  void SetReadyLocked(bool ready, std::string_view reason) AEVUM_REQUIRES(mutex_);
  void SetHealthyLocked(bool healthy, std::string_view reason) AEVUM_REQUIRES(mutex_);

  const Logger logger_;
  prometheus::Gauge* ready_gauge_ = nullptr;
  prometheus::Gauge* healthy_gauge_ = nullptr;
  mutable Mutex mutex_;
  bool ready_ AEVUM_GUARDED_BY(mutex_) = false;
  bool healthy_ AEVUM_GUARDED_BY(mutex_) = false;
  std::string reason_ AEVUM_GUARDED_BY(mutex_) = "starting";
  std::vector<std::function<void(bool)>> hooks_ AEVUM_GUARDED_BY(mutex_);
};

// Adds /metrics (of the registry, of this process and of `more`), /-/healthy, /-/ready, and a word
// on /debug/pprof, which this program does not have. Before Start. The probe must outlive the
// server.
void AddOpsRoutes(HttpServer& server, const Probe& probe,
                  std::shared_ptr<prometheus::Registry> metrics,
                  std::vector<std::shared_ptr<prometheus::Collectable>> more = {});

}  // namespace aevum::net
