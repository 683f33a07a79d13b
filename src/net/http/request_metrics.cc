#include "net/http/request_metrics.h"

#include <algorithm>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "net/http/form.h"

namespace aevum::net {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {
    0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240, 360, 720};
const prometheus::Histogram::BucketBoundaries kBytes = {64,   128,  256,  512,   1024,
                                                        2048, 4096, 8192, 16384, 32768};

// The methods are a closed set, since a client can send any word.
std::string MethodLabel(std::string_view method) {
  static constexpr std::string_view kKnown[] = {"GET",    "HEAD",    "POST",  "PUT",    "PATCH",
                                                "DELETE", "CONNECT", "TRACE", "OPTIONS"};
  const bool known = std::find(std::begin(kKnown), std::end(kKnown), method) != std::end(kKnown);
  return known ? ToLower(method) : "unknown";
}

}  // namespace

struct RequestMetrics::Families {
  prometheus::Family<prometheus::Histogram>& duration;
  prometheus::Family<prometheus::Counter>& total;
  prometheus::Family<prometheus::Histogram>& request_size;
  prometheus::Family<prometheus::Histogram>& response_size;
  prometheus::Family<prometheus::Gauge>& inflight;
  prometheus::Counter& exceptions;
};

RequestMetrics::RequestMetrics(const std::shared_ptr<prometheus::Registry>& registry,
                               Tenants tenants)
    : tenants_(tenants) {
  if (!registry) return;
  families_.reset(new Families{
      prometheus::BuildHistogram()
          .Name("http_request_duration_seconds")
          .Help("Tracks the latencies for HTTP requests.")
          .Register(*registry),
      prometheus::BuildCounter()
          .Name("http_requests_total")
          .Help("Tracks the number of HTTP requests.")
          .Register(*registry),
      prometheus::BuildHistogram()
          .Name("http_request_size_bytes")
          .Help("Tracks the size of HTTP requests.")
          .Register(*registry),
      prometheus::BuildHistogram()
          .Name("http_response_size_bytes")
          .Help("Tracks the size of HTTP responses.")
          .Register(*registry),
      prometheus::BuildGauge()
          .Name("http_inflight_requests")
          .Help("Current number of HTTP requests the handler is responding to.")
          .Register(*registry),
      prometheus::BuildCounter()
          .Name("aevum_http_handler_exceptions_total")
          .Help("Requests that ended with an exception of their handler.")
          .Register(*registry)
          .Add({}),
  });
}

RequestMetrics::~RequestMetrics() = default;

void RequestMetrics::Begin(const RequestFacts& facts) {
  if (!families_ || facts.handler.empty()) return;
  prometheus::Labels labels = {{"handler", facts.handler}, {"method", MethodLabel(facts.method)}};
  if (tenants_ == Tenants::kLabelled) labels["tenant"] = tenant_label_.Of(facts.tenant);
  families_->inflight.Add(labels).Increment();
}

void RequestMetrics::End(const RequestFacts& facts, int status, std::chrono::nanoseconds duration,
                         std::size_t response_bytes) {
  if (!families_ || facts.handler.empty()) return;
  prometheus::Labels labels = {{"handler", facts.handler}, {"method", MethodLabel(facts.method)}};
  if (tenants_ == Tenants::kLabelled) labels["tenant"] = tenant_label_.Of(facts.tenant);
  families_->inflight.Add(labels).Decrement();
  labels["code"] = std::to_string(status);
  families_->duration.Add(labels, kSeconds)
      .Observe(std::chrono::duration<double>(duration).count());
  families_->total.Add(labels).Increment();
  families_->request_size.Add(labels, kBytes).Observe(static_cast<double>(facts.request_bytes));
  families_->response_size.Add(labels, kBytes).Observe(static_cast<double>(response_bytes));
}

void RequestMetrics::CountException() {
  if (families_) families_->exceptions.Increment();
}

}  // namespace aevum::net
