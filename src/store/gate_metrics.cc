#include "store/gate_metrics.h"

#include <fmt/core.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace aevum::store {
namespace {

const prometheus::Histogram::BucketBoundaries kWaits = {0.01, 0.1, 0.3, 0.6, 1,   3,   6,   9,
                                                        20,   30,  60,  90,  120, 240, 360, 720};

}  // namespace

GateMetrics::GateMetrics(const std::string& prefix, const std::string& what,
                         std::size_t max_concurrent, prometheus::Registry& metrics,
                         const std::map<std::string, std::string>& labels)
    : in_flight_(&prometheus::BuildGauge()
                      .Name(prefix + "_in_flight")
                      .Help(fmt::format("Number of {} that are currently in flight.", what))
                      .Register(metrics)
                      .Add(labels)),
      total_(&prometheus::BuildCounter()
                  .Name(prefix + "_total")
                  .Help(fmt::format("Total number of {}.", what))
                  .Register(metrics)
                  .Add(labels)),
      waited_(&prometheus::BuildHistogram()
                   .Name(prefix + "_duration_seconds")
                   .Help(fmt::format("How many seconds it took for {} to wait at the gate.", what))
                   .Register(metrics)
                   .Add(labels, kWaits)) {
  prometheus::BuildGauge()
      .Name(prefix + "_max")
      .Help(fmt::format("Maximum number of concurrent {}.", what))
      .Register(metrics)
      .Add(labels)
      .Set(static_cast<double>(max_concurrent));
}

void GateMetrics::Entered(std::chrono::nanoseconds waited) {
  waited_->Observe(std::chrono::duration<double>(waited).count());
  total_->Increment();
  in_flight_->Increment();
}

void GateMetrics::Left() { in_flight_->Decrement(); }

}  // namespace aevum::store
