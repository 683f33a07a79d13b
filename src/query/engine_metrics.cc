#include "query/engine_metrics.h"

#include <map>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>

namespace aevum::query {
namespace {

using Labels = std::map<std::string, std::string>;

const prometheus::Histogram::BucketBoundaries kSeconds = {0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 120};
const prometheus::Summary::Quantiles kQuantiles = {{0.5, 0.05}, {0.9, 0.01}, {0.99, 0.001}};

double SecondsSince(std::chrono::steady_clock::time_point* since) {
  const auto now = std::chrono::steady_clock::now();
  return std::chrono::duration<double>(now - std::exchange(*since, now)).count();
}

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

prometheus::Gauge& MakeGauge(const char* name, const char* help, const Labels& labels,
                             prometheus::Registry& metrics) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(metrics).Add(labels);
}

prometheus::Counter& MakeCounter(const char* name, const char* help, const Labels& labels,
                                 prometheus::Registry& metrics) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(metrics).Add(labels);
}

}  // namespace

EngineMetrics::EngineMetrics(const std::string& mode, std::size_t max_concurrent,
                             prometheus::Registry& metrics) {
  auto& summaries = prometheus::BuildSummary()
                        .Name("prometheus_engine_query_duration_seconds")
                        .Help("How long the parts of a query take, as quantiles.")
                        .Register(metrics);
  auto& histograms = prometheus::BuildHistogram()
                         .Name("prometheus_engine_query_duration_histogram_seconds")
                         .Help("How long the parts of a query take.")
                         .Register(metrics);
  for (const EngineName name : {EngineName::kPrometheus, EngineName::kThanos}) {
    const Labels labels = {{"mode", mode},
                           {"engine", name == EngineName::kThanos ? "thanos" : "prometheus"}};
    const auto slice = [&](const char* part) {
      Labels of_slice = labels;
      of_slice["slice"] = part;
      return Slice{.summary = &summaries.Add(of_slice, kQuantiles),
                   .histogram = &histograms.Add(of_slice, kSeconds)};
    };
    engines_[static_cast<std::size_t>(name)] = {
        .running =
            &MakeGauge("prometheus_engine_queries",
                       "Queries that are evaluated or wait for their place.", labels, metrics),
        .samples = &MakeCounter("prometheus_engine_query_samples_total",
                                "Samples that queries have read.", labels, metrics),
        .queue_time = slice("queue_time"),
        .prepare_time = slice("prepare_time"),
        .inner_eval = slice("inner_eval"),
        .result_sort = slice("result_sort")};
    MakeGauge("prometheus_engine_queries_concurrent_max", "How many queries are evaluated at once.",
              labels, metrics)
        .Set(static_cast<double>(max_concurrent));
    MakeGauge("prometheus_engine_query_log_enabled",
              "Whether queries are logged to a file of their own: never.", labels, metrics);
    MakeCounter("prometheus_engine_query_log_failures_total",
                "Queries that could not be logged to that file.", labels, metrics);
  }
  const Labels thanos = {{"mode", mode}, {"engine", "thanos"}};
  thanos_running_ = &MakeGauge("thanos_engine_queries",
                               "Queries asked of the engine \"thanos\" that are evaluated or wait.",
                               thanos, metrics);
  thanos_total_ = &MakeCounter("thanos_engine_queries_total",
                               "Queries asked of the engine \"thanos\".", thanos, metrics);
}

void EngineMetrics::Slice::Observe(double seconds) const {
  summary->Observe(seconds);
  histogram->Observe(seconds);
}

EngineMetrics::Query::Query(EngineMetrics& metrics, EngineName name)
    : metrics_(metrics), name_(name), since_(std::chrono::steady_clock::now()) {
  metrics_.Of(name_).running->Increment();
  if (name_ != EngineName::kThanos) return;
  metrics_.thanos_running_->Increment();
  metrics_.thanos_total_->Increment();
}

EngineMetrics::Query::~Query() {
  metrics_.Of(name_).running->Decrement();
  if (name_ == EngineName::kThanos) metrics_.thanos_running_->Decrement();
}

void EngineMetrics::Query::Started() {
  metrics_.Of(name_).queue_time.Observe(SecondsSince(&since_));
}

void EngineMetrics::Query::Evaluated(const promql::QueryStats* stats) {
  const Engine& engine = metrics_.Of(name_);
  const double whole = SecondsSince(&since_);
  if (stats == nullptr) {
    engine.inner_eval.Observe(whole);
    return;
  }
  engine.prepare_time.Observe(Seconds(stats->preparation));
  engine.inner_eval.Observe(Seconds(stats->evaluation));
  engine.result_sort.Observe(Seconds(stats->sorting));
  engine.samples->Increment(static_cast<double>(stats->samples));
}

}  // namespace aevum::query
