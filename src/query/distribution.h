// Which other queriers may evaluate parts of a query.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/labels.h"
#include "promql/engine/remote.h"
#include "query/endpoint_set.h"
#include "query/remote_querier.h"

namespace aevum::query {

// The flags --query.mode=distributed and its kin.
struct DistributionOptions {
  bool enabled = false;
  std::vector<std::string> partition_labels;
  bool overlapping_intervals = false;
  // --selector-label: matchers on these are answered here and reach no store.
  model::Labels selector_labels;
};

// What the engine may use for a query that reads as `remote` says. Keeps the endpoints alive.
promql::Distribution MakeDistribution(const DistributionOptions& options,
                                      std::shared_ptr<const QueryEndpoints> endpoints,
                                      const RemoteQueryOptions& remote);

// The external labels of the TSDBs behind an endpoint; none when it has label sets that no TSDB
// accounts for, since then nothing is sure.
std::vector<model::Labels> ExternalLabelsOf(const wire::InfoResponse& info);

}  // namespace aevum::query
