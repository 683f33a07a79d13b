// What queries select: how many selects run, and how long queries over so much data take.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/metrics/bounded_label.h"
#include "promql/queryable.h"
#include "store/gate_metrics.h"

namespace prometheus {
class Histogram;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace aevum::query {

struct SelectMetricsOptions {
  // --query.max-concurrent-select. Nothing waits for it: a query reads its selects one after
  // another, since the engine pulls from one at a time.
  std::size_t max_concurrent = 4;
  // Bounds of the histogram and of the classes of queries; --query.telemetry.*.
  std::vector<double> duration_seconds = {0.1, 0.25, 0.75, 1.25, 1.75, 2.5, 3, 5, 10};
  std::vector<double> samples = {100, 1000, 10'000, 100'000, 1'000'000};
  std::vector<double> series = {10, 100, 1000, 10'000, 100'000};
};

// thanos_query_concurrent_selects_gate_selects_* and thanos_store_api_query_duration_seconds.
// Thread-safe.
class SelectMetrics {
 public:
  SelectMetrics(SelectMetricsOptions options, prometheus::Registry& metrics);

  store::GateMetrics& gate() { return gate_; }
  // A query that is over. One that read nothing is not counted, as in Thanos.
  void Observe(const std::string& tenant, std::int64_t series, std::int64_t samples,
               double seconds);

 private:
  const SelectMetricsOptions options_;
  store::GateMetrics gate_;
  prometheus::Family<prometheus::Histogram>& durations_;
  net::BoundedLabel tenants_;
};

// The selects of one query, counted: each from its start until its stream goes. Borrows both.
// Thread-safe.
class CountedSelects final : public promql::Queryable {
 public:
  CountedSelects(promql::Queryable& source, SelectMetrics& metrics)
      : source_(source), metrics_(metrics) {}

  StatusOr<std::unique_ptr<promql::SelectStream>> Select(const Context& context,
                                                         const model::Matchers& matchers,
                                                         const promql::SelectHints& hints) override;
  bool MatchesOnLabels(std::string_view label) const override {
    return source_.MatchesOnLabels(label);
  }

  // Series that all its selects gave so far.
  std::int64_t series() const { return series_; }

 private:
  class Stream;

  promql::Queryable& source_;
  SelectMetrics& metrics_;
  std::atomic<std::int64_t> series_ = 0;
};

}  // namespace aevum::query
