// Uploads the blocks that Prometheus finishes, as long as the sidecar runs.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/shipper.h"
#include "objstore/bucket.h"

namespace prometheus {
class Registry;
}

namespace aevum::sidecar {

class Heartbeat;
class PrometheusClient;

struct UploadsOptions {
  block::ShipperOptions shipper;  // --tsdb.path, --hash-func, --shipper.*
  // Prometheus may compact its blocks itself: what it made of them is not uploaded then, or twice.
  bool ignore_unequal_block_size = false;
};

// Every 30 s on a thread of its own, once the external labels are known. Prometheus must not
// compact its blocks, which its flags tell. Borrows the heartbeat. Constructor, Start, Stop.
class Uploads {
 public:
  // Told when Prometheus compacts its blocks: FailedPrecondition says how to end that. Nothing is
  // uploaded then.
  using OnRefused = std::function<void(const Status&)>;

  Uploads(UploadsOptions options, std::shared_ptr<objstore::Bucket> bucket,
          std::shared_ptr<PrometheusClient> client, const Heartbeat& heartbeat,
          OnRefused on_refused, Logger logger, prometheus::Registry& registry);
  ~Uploads();
  Uploads(const Uploads&) = delete;
  Uploads& operator=(const Uploads&) = delete;

  void Start();
  // Idempotent; ends an upload that is on its way, which the next start takes up again.
  void Stop();

 private:
  void Run();
  // OK, FailedPrecondition, or why Prometheus did not tell.
  Status CheckBlockDurations(const Context& context);

  const UploadsOptions options_;
  const std::shared_ptr<objstore::Bucket> bucket_;
  const std::shared_ptr<PrometheusClient> client_;
  const Heartbeat& heartbeat_;
  const OnRefused on_refused_;
  const Logger logger_;
  block::Shipper shipper_;
  CancelScope running_{Context::Background()};
  std::thread thread_;
};

}  // namespace aevum::sidecar
