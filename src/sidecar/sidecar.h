// The sidecar: one Prometheus as a store, and its configuration reloaded.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/status.h"
#include "net/http/client.h"
#include "sidecar/heartbeat.h"
#include "sidecar/reloader.h"
#include "sidecar/uploads.h"
#include "store/store.h"

namespace prometheus {
class Registry;
}

namespace aevum::net::grpc {
class Server;
}

namespace aevum::sidecar {

class PrometheusRules;
class PrometheusStore;

// The values of the flags.
struct SidecarOptions {
  std::string prometheus_url = "http://localhost:9090";
  net::HttpClientOptions http_client;
  HeartbeatOptions heartbeat;  // --prometheus.get_config_*, --prometheus.ready_timeout, --min-time
  ReloaderOptions reloader;    // --reloader.*
  UploadsOptions uploads;      // where there is a bucket
};

// Constructor, Start, Stop. Thread-safe after Start.
class Sidecar {
 public:
  // `listener` is told the result of each heartbeat: OK is ready, all else is not. A null bucket:
  // nothing is uploaded. `on_refused` is told why blocks can't be uploaded.
  Sidecar(SidecarOptions options, Heartbeat::Listener listener,
          std::shared_ptr<objstore::Bucket> bucket, Uploads::OnRefused on_refused, Logger logger,
          prometheus::Registry& registry, const Clock& clock = Clock::System());
  ~Sidecar();
  Sidecar(const Sidecar&) = delete;
  Sidecar& operator=(const Sidecar&) = delete;

  // An error when the URL of Prometheus is none, or a file of the reloader can't be read or
  // watched. Prometheus itself may come later.
  Status Start();
  // Idempotent. Streams of the store that are open must be gone before the sidecar is.
  void Stop();

  // Answers Unavailable until the first heartbeat succeeded.
  store::Store& store();
  // Likewise.
  PrometheusRules& rules();
  // Registers metric metadata, exemplars and TSDB statistics, before the server starts; the sidecar
  // must outlive the server.
  void RegisterMetadata(net::grpc::Server& server);
  Status ready() const { return heartbeat_.ready(); }

 private:
  const std::string prometheus_url_;
  const std::shared_ptr<PrometheusClient> client_;
  Heartbeat heartbeat_;
  std::unique_ptr<PrometheusStore> store_;
  std::unique_ptr<PrometheusRules> rules_;
  Reloader reloader_;
  std::unique_ptr<Uploads> uploads_;  // null: nothing is uploaded
};

}  // namespace aevum::sidecar
