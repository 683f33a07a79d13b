// The querier's HTTP API.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "net/http/server.h"
#include "promql/engine/engine.h"
#include "query/endpoint_set.h"
#include "query/engine_metrics.h"
#include "query/gate.h"
#include "query/params.h"
#include "query/tenancy.h"
#include "store/proxy.h"
#include "store/queryable.h"

namespace prometheus {
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::query {

struct ApiOptions {
  ParamDefaults defaults;
  std::string route_prefix;  // "" or "/prefix"
  bool disable_cors = false;
  bool dynamic_lookback = true;
  std::chrono::milliseconds lookback_delta = std::chrono::minutes(5);
  store::DedupFunction dedup_function = store::DedupFunction::kPenalty;
  std::int64_t query_memory_bytes = MemoryBudget::kUnlimited;  // of one query
  std::shared_ptr<MemoryBudget> total_memory;  // of all queries together; may be null
  std::size_t max_concurrent = 20;
  TenancyOptions tenancy;
  std::vector<std::pair<std::string, std::string>> flags;  // what /status/flags shows
  std::string version;
  std::string revision;
};

// Handlers of /api/v1/*. What it borrows must outlive it. Thread-safe.
class Api {
 public:
  Api(ApiOptions options, const promql::Engine& engine, std::shared_ptr<store::Proxy> proxy,
      const EndpointSet& endpoints, Logger logger, std::shared_ptr<prometheus::Registry> metrics,
      const Clock& clock = Clock::System());
  ~Api();

  // Before the server starts.
  void AddRoutes(net::HttpServer& server);

 private:
  struct Request;
  using Handler = Status (Api::*)(const Context&, const net::HttpRequest&, net::HttpResponse&);

  void Route(net::HttpServer& server, std::string_view method, std::string_view path,
             std::string_view name, Handler handler);
  void SetCommonHeaders(net::HttpResponse& response) const;
  void WriteError(net::HttpResponse& response, const Status& status) const;

  Status Query(const Context& context, const net::HttpRequest& request,
               net::HttpResponse& response);
  Status QueryRange(const Context& context, const net::HttpRequest& request,
                    net::HttpResponse& response);
  Status Labels(const Context& context, const net::HttpRequest& request,
                net::HttpResponse& response);
  Status LabelValues(const Context& context, const net::HttpRequest& request,
                     net::HttpResponse& response);
  Status Series(const Context& context, const net::HttpRequest& request,
                net::HttpResponse& response);
  Status Stores(const Context& context, const net::HttpRequest& request,
                net::HttpResponse& response);
  Status BuildInfo(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response);
  Status Flags(const Context& context, const net::HttpRequest& request,
               net::HttpResponse& response);
  Status RuntimeInfo(const Context& context, const net::HttpRequest& request,
                     net::HttpResponse& response);

  // The stores that a request is about.
  std::shared_ptr<store::Store> StoreFor(const std::vector<model::Matchers>& store_matchers) const;
  std::unique_ptr<promql::Queryable> QueryableFor(const CommonParams& params,
                                                  const std::string& tenant) const;
  std::int64_t LookbackFor(const CommonParams& params) const;
  std::shared_ptr<MemoryBudget> MakeBudget() const;
  Status WriteResult(const promql::QueryResult& result, bool stats,
                     net::HttpResponse& response) const;
  Status WriteStrings(std::vector<std::string> strings, std::vector<std::string> warnings,
                      std::int64_t limit, net::HttpResponse& response) const;

  const ApiOptions options_;
  const promql::Engine& engine_;
  const std::shared_ptr<store::Proxy> proxy_;
  const EndpointSet& endpoints_;
  const Logger logger_;
  const Clock& clock_;
  const TimestampMs started_;
  Gate gate_;
  EngineMetrics engine_metrics_;
  prometheus::Histogram* timespan_;
};

}  // namespace aevum::query
