#include "query/select_metrics.h"

#include <chrono>
#include <utility>

#include <fmt/core.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace aevum::query {
namespace {

// The first bound above the value, as a label; beyond all of them the last one.
std::string ClassOf(std::int64_t value, const std::vector<double>& bounds) {
  double bound = 0;
  for (const double one : bounds) {
    bound = one;
    if (static_cast<double>(value) < one) break;
  }
  return fmt::format("{:.0f}", bound);
}

}  // namespace

SelectMetrics::SelectMetrics(SelectMetricsOptions options, prometheus::Registry& metrics)
    : options_(std::move(options)),
      gate_("thanos_query_concurrent_selects_gate_selects", "selects", options_.max_concurrent,
            metrics),
      durations_(prometheus::BuildHistogram()
                     .Name("thanos_store_api_query_duration_seconds")
                     .Help("Duration of queries by the series and samples that they read.")
                     .Register(metrics)) {}

void SelectMetrics::Observe(const std::string& tenant, std::int64_t series, std::int64_t samples,
                            double seconds) {
  if (series == 0 || samples == 0) return;
  durations_
      .Add({{"series_le", ClassOf(series, options_.series)},
            {"samples_le", ClassOf(samples, options_.samples)},
            {"tenant", tenants_.Of(tenant)}},
           options_.duration_seconds)
      .Observe(seconds);
}

class CountedSelects::Stream final : public promql::SelectStream {
 public:
  explicit Stream(CountedSelects& selects) : selects_(selects) {
    selects_.metrics_.gate().Entered(std::chrono::nanoseconds(0));
  }
  ~Stream() override { selects_.metrics_.gate().Left(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Status Open(const Context& context, const model::Matchers& matchers,
              const promql::SelectHints& hints) {
    ASSIGN_OR_RETURN(source_, selects_.source_.Select(context, matchers, hints));
    return OkStatus();
  }
  StatusOr<std::unique_ptr<const promql::SelectBatch>> Next() override {
    ASSIGN_OR_RETURN(auto batch, source_->Next());
    if (batch) selects_.series_ += static_cast<std::int64_t>(batch->size());
    return batch;
  }
  std::vector<std::string> warnings() const override { return source_->warnings(); }

 private:
  CountedSelects& selects_;
  std::unique_ptr<promql::SelectStream> source_;
};

StatusOr<std::unique_ptr<promql::SelectStream>> CountedSelects::Select(
    const Context& context, const model::Matchers& matchers, const promql::SelectHints& hints) {
  auto stream = std::make_unique<Stream>(*this);
  RETURN_IF_ERROR(stream->Open(context, matchers, hints));
  return std::unique_ptr<promql::SelectStream>(std::move(stream));
}

}  // namespace aevum::query
