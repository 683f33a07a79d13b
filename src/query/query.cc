#include "query/query.h"

namespace aevum::query {

Query::Query(QueryOptions options, Logger logger, std::shared_ptr<prometheus::Registry> metrics,
             const Clock& clock)
    : runtime_(1, metrics),
      endpoints_(std::move(options.endpoints), runtime_, logger, metrics, clock),
      engine_(options.engine),
      proxy_(std::make_shared<store::Proxy>(
          std::move(options.proxy), [this] { return endpoints_.Stores(); }, logger, metrics)),
      evaluator_(
          options.api, engine_, proxy_, [this] { return endpoints_.Queriers(); }, *metrics),
      api_(std::move(options.api), evaluator_, endpoints_, logger, *metrics, clock) {}

Query::~Query() { Stop(); }

}  // namespace aevum::query
