#include "query/query.h"

#include <algorithm>
#include <optional>

namespace aevum::query {
namespace {

// The shorter of the timeouts of a query and of a store that gives nothing.
FanOutOptions FanOutOptionsOf(const QueryOptions& options) {
  FanOutOptions result{.timeout = options.api.defaults.timeout};
  const Nanoseconds silence = options.proxy.response_timeout;
  if (silence.count() > 0) result.timeout = std::min(result.timeout, silence);
  return result;
}

ExemplarsOptions ExemplarsOptionsOf(const QueryOptions& options) {
  return {.selector_labels = options.proxy.selector_labels,
          .replica_labels = options.api.defaults.replica_labels,
          .parse = options.engine.parse};
}

}  // namespace

Query::Query(QueryOptions options, Logger logger, std::shared_ptr<prometheus::Registry> metrics,
             const Clock& clock)
    : runtime_(1, metrics),
      endpoints_(std::move(options.endpoints), runtime_, logger, metrics, clock),
      engine_(options.engine),
      proxy_(std::make_shared<store::Proxy>(
          options.proxy, [this] { return endpoints_.Stores(); }, logger, metrics)),
      evaluator_(
          options.api, engine_, proxy_, [this] { return endpoints_.Queriers(); }, *metrics),
      fan_out_(FanOutOptionsOf(options), [this] { return endpoints_.Services(); }),
      rules_(fan_out_, options.api.defaults.replica_labels),
      targets_(fan_out_, options.api.defaults.replica_labels),
      metadata_(fan_out_),
      exemplars_(ExemplarsOptionsOf(options), fan_out_),
      tsdb_status_(fan_out_),
      api_(std::move(options.api), evaluator_, endpoints_,
           {.rules = rules_, .targets = targets_, .metadata = metadata()}, logger, *metrics,
           clock) {}

Query::~Query() { Stop(); }

wire::TimeRange Query::ExemplarTimes() const {
  std::optional<wire::TimeRange> times;
  const auto endpoints = endpoints_.Services();
  for (const ServiceEndpoint& endpoint : *endpoints) {
    const std::optional<wire::TimeRange>& own = endpoint.info.exemplars;
    if (!own) continue;
    if (!times) times = own;
    times->min_time = std::min(times->min_time, own->min_time);
    times->max_time = std::max(times->max_time, own->max_time);
  }
  return times.value_or(wire::TimeRange());
}

}  // namespace aevum::query
