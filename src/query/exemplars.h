// Exemplars of all endpoints together.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "promql/parser.h"
#include "query/fan_out.h"
#include "wire/exemplars_api.h"

namespace aevum::query {

struct ExemplarsOptions {
  model::Labels selector_labels;  // that all series behind the querier are said to have
  std::vector<std::string> replica_labels;
  promql::ParseOptions parse;
};

struct ExemplarsAnswer {
  std::vector<wire::ExemplarSeries> series;  // sorted by labels; their exemplars by time
  std::vector<std::string> warnings;         // sorted, each once
};

// thanos.Exemplars over all endpoints that offer it. Borrows the fan-out. Thread-safe.
class ExemplarsProxy {
 public:
  using Sink = std::function<void(wire::ExemplarsResponse)>;

  ExemplarsProxy(ExemplarsOptions options, FanOut& fan_out);

  // Hands on what the endpoints say, in their order; who fails is a warning or, with kAbort, the
  // error. An endpoint is asked for those selectors of the query that its external labels allow,
  // by queries of its own labels alone, unless it is a querier. Unknown for a text that is no
  // query, InvalidArgument for a query that selects by the selector labels alone.
  Status Ask(const Context& context, const wire::ExemplarsRequest& request, const Sink& sink);

  // The answers together, without replica labels, each exemplar once. Charged to the context's
  // budget while it is made.
  StatusOr<ExemplarsAnswer> Collect(const Context& context, const wire::ExemplarsRequest& request);

 private:
  const ExemplarsOptions options_;
  FanOut& fan_out_;
};

// What to ask an endpoint for exemplars of the selectors; nullopt when none can match there.
std::optional<std::string> ExemplarsQueryFor(const std::vector<model::Matchers>& selectors,
                                             const wire::InfoResponse& endpoint);

// Series that are equal without the replica labels become one; series and exemplars are sorted,
// exemplars that are equal come once, series without exemplars not at all.
std::vector<wire::ExemplarSeries> DeduplicateExemplars(
    std::vector<wire::ExemplarSeries> series, const std::vector<std::string>& replica_labels);

}  // namespace aevum::query
