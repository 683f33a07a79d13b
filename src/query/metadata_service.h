// Metadata, exemplars and statistics of all endpoints as gRPC services, for queriers above this
// one.
#pragma once

#include <functional>
#include <memory>

#include "base/memory_budget.h"
#include "query/exemplars.h"
#include "query/metric_metadata.h"
#include "query/tsdb_status.h"

namespace aevum::net::grpc {
class Server;
}

namespace aevum::query {

// The three proxies; borrowed.
struct MetadataProxies {
  MetricMetadataProxy& metadata;
  ExemplarsProxy& exemplars;
  TsdbStatusProxy& tsdb_status;
};

// Registers thanos.Metadata, thanos.Exemplars and thanos.Status, before the server starts. What the
// endpoints say is handed on as it is: who shows it merges it. `make_budget` gives the memory of
// one call. The proxies must outlive the server.
void RegisterMetadataServices(net::grpc::Server& server, const MetadataProxies& proxies,
                              std::function<std::shared_ptr<MemoryBudget>()> make_budget);

}  // namespace aevum::query
