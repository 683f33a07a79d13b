#include "query/gate.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace aevum::query {
namespace {

const prometheus::Histogram::BucketBoundaries kWaits = {0.01, 0.1, 0.3, 0.6, 1,   3,   6,   9,
                                                        20,   30,  60,  90,  120, 240, 360, 720};

}  // namespace

Gate::Gate(std::size_t max_concurrent, const std::string& prefix, prometheus::Registry& metrics)
    : max_concurrent_(max_concurrent),
      in_flight_(&prometheus::BuildGauge()
                      .Name(prefix + "_in_flight")
                      .Help("Number of queries that are currently in flight.")
                      .Register(metrics)
                      .Add({})),
      total_(&prometheus::BuildCounter()
                  .Name(prefix + "_total")
                  .Help("Total number of queries.")
                  .Register(metrics)
                  .Add({})),
      waited_(&prometheus::BuildHistogram()
                   .Name(prefix + "_duration_seconds")
                   .Help("How many seconds it took for queries to wait at the gate.")
                   .Register(metrics)
                   .Add({}, kWaits)) {
  prometheus::BuildGauge()
      .Name(prefix + "_max")
      .Help("Maximum number of concurrent queries.")
      .Register(metrics)
      .Add({})
      .Set(static_cast<double>(max_concurrent));
}

Status Gate::Enter(const Context& context) {
  const auto began = std::chrono::steady_clock::now();
  {
    // Cancellation wakes the wait; a deadline ends it.
    const std::stop_callback wake(context.stop_token(), [this] {
      MutexLock lock(mutex_);
      left_.notify_all();
    });
    MutexLock lock(mutex_);
    while (inside_ >= max_concurrent_) {
      RETURN_IF_ERROR(context.status());
      if (context.deadline() == Context::TimePoint::max()) {
        lock.Wait(left_);
      } else {
        lock.WaitUntil(left_, context.deadline());
      }
    }
    ++inside_;
  }
  waited_->Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  total_->Increment();
  in_flight_->Increment();
  return OkStatus();
}

void Gate::Leave() {
  {
    MutexLock lock(mutex_);
    --inside_;
  }
  left_.notify_one();
  in_flight_->Decrement();
}

}  // namespace aevum::query
