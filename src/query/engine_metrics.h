// What the PromQL engine did, under the names of Prometheus and of Thanos.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "promql/engine/engine.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
class Summary;
}  // namespace prometheus

namespace aevum::query {

// The name that a query asks the one engine by. It is a label of the metrics.
enum class EngineName : std::uint8_t { kPrometheus, kThanos };

// prometheus_engine_*: queries that run, how long they wait (slice "queue_time"), are prepared
// ("prepare_time"), evaluated ("inner_eval") and sorted ("result_sort"), samples read;
// thanos_engine_*: queries asked of "thanos". Thread-safe.
class EngineMetrics {
 public:
  // `mode` is that of --query.mode, a label.
  EngineMetrics(const std::string& mode, std::size_t max_concurrent, prometheus::Registry& metrics);

  // One query, from before it waits for its place to its end.
  class Query {
   public:
    Query(EngineMetrics& metrics, EngineName name);
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    // It has its place.
    void Started();
    // It was evaluated; null when that failed.
    void Evaluated(const promql::QueryStats* stats);

   private:
    EngineMetrics& metrics_;
    const EngineName name_;
    std::chrono::steady_clock::time_point since_;
  };

 private:
  struct Slice {
    prometheus::Summary* summary;
    prometheus::Histogram* histogram;
    void Observe(double seconds) const;
  };
  struct Engine {
    prometheus::Gauge* running;
    prometheus::Counter* samples;
    Slice queue_time, prepare_time, inner_eval, result_sort;
  };

  const Engine& Of(EngineName name) const { return engines_[static_cast<std::size_t>(name)]; }

  std::array<Engine, 2> engines_;  // by EngineName
  prometheus::Gauge* thanos_running_;
  prometheus::Counter* thanos_total_;
};

}  // namespace aevum::query
