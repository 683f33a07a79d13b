// What the PromQL engine did, under the names of Prometheus.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
class Summary;
}  // namespace prometheus

namespace aevum::query {

// prometheus_engine_*: queries that run, how long they wait (slice "queue_time") and are evaluated
// ("inner_eval"), samples read. Thread-safe.
class EngineMetrics {
 public:
  EngineMetrics(std::size_t max_concurrent, prometheus::Registry& metrics);

  // One query, from before it waits for its place to its end.
  class Query {
   public:
    explicit Query(EngineMetrics& metrics);
    ~Query();
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;

    // It has its place.
    void Started();
    // It was evaluated.
    void Evaluated(std::int64_t samples);

   private:
    EngineMetrics& metrics_;
    std::chrono::steady_clock::time_point since_;
  };

 private:
  struct Slice {
    prometheus::Summary* summary;
    prometheus::Histogram* histogram;
    void Observe(double seconds) const;
  };

  prometheus::Gauge* running_;
  prometheus::Counter* samples_;
  Slice queue_time_;
  Slice inner_eval_;
};

}  // namespace aevum::query
