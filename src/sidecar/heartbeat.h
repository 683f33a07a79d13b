// Asks Prometheus now and then for its external labels, and knows by that whether it is there.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "model/labels.h"

namespace prometheus {
class Gauge;
class Registry;
}  // namespace prometheus

namespace aevum::sidecar {

class PrometheusClient;

// What the last heartbeat that succeeded found.
struct PrometheusState {
  model::Labels external_labels;  // never empty
  // The earliest time served: the lower end of Prometheus's database, or the bound of the options
  // when that is later.
  TimestampMs min_time = kMinTime;
  std::string version;
  // Names of the labels that series have of their own, sorted; nullopt when Prometheus did not
  // tell.
  std::optional<std::vector<std::string>> label_names;

  // Whether a series may have a label of its own by that name.
  bool MayHaveLabel(std::string_view name) const;
};

struct HeartbeatOptions {
  std::chrono::nanoseconds interval = std::chrono::seconds(30);
  std::chrono::nanoseconds timeout = std::chrono::seconds(30);  // of all calls of one heartbeat
  // When nothing was heard of Prometheus for that long after the start, an error is logged.
  std::chrono::nanoseconds ready_timeout = std::chrono::minutes(10);
  std::optional<TimeOrDuration> min_time;
};

// Until the first success it asks more often: after a second, then twice as long each time up to
// the interval. Thread-safe.
class Heartbeat {
 public:
  // Told the result of each heartbeat, in the thread of the heartbeat. FailedPrecondition means
  // that Prometheus is there and has no external labels.
  using Listener = std::function<void(const Status&)>;

  Heartbeat(HeartbeatOptions options, std::shared_ptr<PrometheusClient> client, Listener listener,
            Logger logger, prometheus::Registry& registry, const Clock& clock = Clock::System());
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  void Start();
  // Idempotent; ends a heartbeat that is on its way.
  void Stop();

  // One heartbeat in the caller's thread, for before the start and for tests.
  Status Beat();

  // Null before the first success. Stays when later heartbeats fail.
  std::shared_ptr<const PrometheusState> state() const { return state_.Get(); }
  // The result of the last heartbeat; Unavailable before the first.
  Status ready() const;

 private:
  void Run();
  StatusOr<PrometheusState> Ask();
  StatusOr<model::Labels> AskExternalLabels(const Context& context);

  const HeartbeatOptions options_;
  const std::shared_ptr<PrometheusClient> client_;
  const Listener listener_;
  const Logger logger_;
  prometheus::Gauge& up_;
  const Clock& clock_;
  Snapshot<PrometheusState> state_;
  mutable Mutex mutex_;
  Status ready_ AEVUM_GUARDED_BY(mutex_);
  // The configuration that was parsed last: it is large and seldom changes. Touched by Beat alone.
  std::string last_yaml_;
  model::Labels last_labels_;
  CancelScope running_{Context::Background()};
  std::thread thread_;
};

}  // namespace aevum::sidecar
