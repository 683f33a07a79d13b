// The querier: many stores as one, asked in PromQL.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/status.h"
#include "model/labels.h"
#include "net/http/server.h"
#include "promql/engine/engine.h"
#include "query/api.h"
#include "query/endpoint_set.h"
#include "query/evaluator.h"
#include "query/fan_out.h"
#include "query/metadata_service.h"
#include "query/rules.h"
#include "query/targets.h"
#include "store/proxy.h"

namespace prometheus {
class Registry;
}

namespace aevum::query {

struct QueryOptions {
  EndpointOptions endpoints;
  ApiOptions api;
  promql::EngineOptions engine;
  store::ProxyOptions proxy;
};

// Constructor, Start, Stop. Thread-safe after Start.
class Query {
 public:
  Query(QueryOptions options, Logger logger, std::shared_ptr<prometheus::Registry> metrics,
        const Clock& clock = Clock::System());
  ~Query();

  // Before the server starts.
  void AddRoutes(net::HttpServer& server) { api_.AddRoutes(server); }
  // `on_ready` is called once the endpoints were asked for the first time.
  Status Start(std::function<void()> on_ready) { return endpoints_.Start(std::move(on_ready)); }
  // Idempotent.
  void Stop() { endpoints_.Stop(); }

  // All stores as one; a querier is a store of another querier.
  store::Store& store() { return *proxy_; }
  Evaluator& evaluator() { return evaluator_; }
  const Rules& rules() const { return rules_; }
  const Targets& targets() const { return targets_; }
  // From the first to the last exemplar that the endpoints may have; both 0 when none offers any.
  wire::TimeRange ExemplarTimes() const;
  MetadataProxies metadata() { return {metadata_, exemplars_, tsdb_status_}; }

 private:
  net::grpc::ClientRuntime runtime_;
  EndpointSet endpoints_;
  const promql::Engine engine_;
  const std::shared_ptr<store::Proxy> proxy_;
  Evaluator evaluator_;
  FanOut fan_out_;
  const Rules rules_;
  const Targets targets_;
  MetricMetadataProxy metadata_;
  ExemplarsProxy exemplars_;
  TsdbStatusProxy tsdb_status_;
  Api api_;
};

}  // namespace aevum::query
