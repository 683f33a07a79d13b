#include "query/engine_metrics.h"

#include <map>
#include <string>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>

namespace aevum::query {
namespace {

using Labels = std::map<std::string, std::string>;

const Labels kLabels = {{"mode", "local"}, {"engine", "prometheus"}};
const prometheus::Histogram::BucketBoundaries kSeconds = {0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 120};
const prometheus::Summary::Quantiles kQuantiles = {{0.5, 0.05}, {0.9, 0.01}, {0.99, 0.001}};

double SecondsSince(std::chrono::steady_clock::time_point* since) {
  const auto now = std::chrono::steady_clock::now();
  return std::chrono::duration<double>(now - std::exchange(*since, now)).count();
}

}  // namespace

EngineMetrics::EngineMetrics(std::size_t max_concurrent, prometheus::Registry& metrics)
    : running_(&prometheus::BuildGauge()
                    .Name("prometheus_engine_queries")
                    .Help("Queries that are evaluated or wait for their place.")
                    .Register(metrics)
                    .Add(kLabels)),
      samples_(&prometheus::BuildCounter()
                    .Name("prometheus_engine_query_samples_total")
                    .Help("Samples that queries have read.")
                    .Register(metrics)
                    .Add(kLabels)) {
  auto& summaries = prometheus::BuildSummary()
                        .Name("prometheus_engine_query_duration_seconds")
                        .Help("How long the parts of a query take, as quantiles.")
                        .Register(metrics);
  auto& histograms = prometheus::BuildHistogram()
                         .Name("prometheus_engine_query_duration_histogram_seconds")
                         .Help("How long the parts of a query take.")
                         .Register(metrics);
  const auto slice = [&](const char* name) {
    Labels labels = kLabels;
    labels["slice"] = name;
    return Slice{.summary = &summaries.Add(labels, kQuantiles),
                 .histogram = &histograms.Add(labels, kSeconds)};
  };
  queue_time_ = slice("queue_time");
  inner_eval_ = slice("inner_eval");
  prometheus::BuildGauge()
      .Name("prometheus_engine_queries_concurrent_max")
      .Help("How many queries are evaluated at once.")
      .Register(metrics)
      .Add(kLabels)
      .Set(static_cast<double>(max_concurrent));
}

void EngineMetrics::Slice::Observe(double seconds) const {
  summary->Observe(seconds);
  histogram->Observe(seconds);
}

EngineMetrics::Query::Query(EngineMetrics& metrics)
    : metrics_(metrics), since_(std::chrono::steady_clock::now()) {
  metrics_.running_->Increment();
}

EngineMetrics::Query::~Query() { metrics_.running_->Decrement(); }

void EngineMetrics::Query::Started() { metrics_.queue_time_.Observe(SecondsSince(&since_)); }

void EngineMetrics::Query::Evaluated(std::int64_t samples) {
  metrics_.inner_eval_.Observe(SecondsSince(&since_));
  metrics_.samples_->Increment(static_cast<double>(samples));
}

}  // namespace aevum::query
