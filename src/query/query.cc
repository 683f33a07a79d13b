#include "query/query.h"

#include <algorithm>

namespace aevum::query {
namespace {

// The shorter of the timeouts of a query and of a store that gives nothing.
FanOutOptions FanOutOptionsOf(const QueryOptions& options) {
  FanOutOptions result{.timeout = options.api.defaults.timeout};
  const Nanoseconds silence = options.proxy.response_timeout;
  if (silence.count() > 0) result.timeout = std::min(result.timeout, silence);
  return result;
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
      api_(std::move(options.api), evaluator_, endpoints_, {.rules = rules_, .targets = targets_},
           logger, *metrics, clock) {}

Query::~Query() { Stop(); }

}  // namespace aevum::query
