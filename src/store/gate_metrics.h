// How full a gate is, and how long it is waited for.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::store {

// <prefix>_max, _in_flight, _total, _duration_seconds (of the wait). Thread-safe.
class GateMetrics {
 public:
  // `what` passes the gate, "queries", for the help.
  GateMetrics(const std::string& prefix, const std::string& what, std::size_t max_concurrent,
              prometheus::Registry& metrics, const std::map<std::string, std::string>& labels = {});

  void Entered(std::chrono::nanoseconds waited);
  void Left();

 private:
  prometheus::Gauge* in_flight_;
  prometheus::Counter* total_;
  prometheus::Histogram* waited_;
};

}  // namespace aevum::store
