// The querier's HTTP API.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "net/http/server.h"
#include "query/endpoint_set.h"
#include "query/evaluator.h"
#include "query/params.h"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::query {

struct ApiOptions : EvaluatorOptions {
  ParamDefaults defaults;
  std::string route_prefix;  // "" or "/prefix"
  bool disable_cors = false;
  std::vector<std::pair<std::string, std::string>> flags;  // what /status/flags shows
  std::string version;
  std::string revision;
};

// Handlers of /api/v1/* and of /federate. What it borrows must outlive it. Thread-safe.
class Api {
 public:
  Api(ApiOptions options, Evaluator& evaluator, const EndpointSet& endpoints, Logger logger,
      prometheus::Registry& metrics, const Clock& clock = Clock::System());
  ~Api();

  // Before the server starts.
  void AddRoutes(net::HttpServer& server);

 private:
  using Handler = Status (Api::*)(const Context&, const net::HttpRequest&, net::HttpResponse&);

  void Route(net::HttpServer& server, std::string_view method, std::string_view path,
             std::string_view name, Handler handler);
  // The path of a route with its prefixes.
  std::string PathOf(std::string_view path) const;
  void SetCommonHeaders(net::HttpResponse& response) const;
  void WriteError(net::HttpResponse& response, const Status& status) const;

  Status Query(const Context& context, const net::HttpRequest& request,
               net::HttpResponse& response);
  Status QueryRange(const Context& context, const net::HttpRequest& request,
                    net::HttpResponse& response);
  Status QueryExplain(const Context& context, const net::HttpRequest& request,
                      net::HttpResponse& response);
  Status QueryRangeExplain(const Context& context, const net::HttpRequest& request,
                           net::HttpResponse& response);
  Status ParseQuery(const Context& context, const net::HttpRequest& request,
                    net::HttpResponse& response);
  Status FormatQuery(const Context& context, const net::HttpRequest& request,
                     net::HttpResponse& response);
  Status Labels(const Context& context, const net::HttpRequest& request,
                net::HttpResponse& response);
  Status LabelValues(const Context& context, const net::HttpRequest& request,
                     net::HttpResponse& response);
  Status Series(const Context& context, const net::HttpRequest& request,
                net::HttpResponse& response);
  Status Federate(const Context& context, const net::HttpRequest& request,
                  net::HttpResponse& response);
  Status Stores(const Context& context, const net::HttpRequest& request,
                net::HttpResponse& response);
  Status BuildInfo(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response);
  Status Flags(const Context& context, const net::HttpRequest& request,
               net::HttpResponse& response);
  Status RuntimeInfo(const Context& context, const net::HttpRequest& request,
                     net::HttpResponse& response);

  // Evaluates a query and writes its result.
  Status Answer(const Context& context, const QueryParams& params, net::HttpResponse& response);
  // InvalidArgument when the engine that a request wants has no plan to show.
  Status CheckExplains(const net::HttpRequest& request) const;
  Status Explain(const Context& context, const QueryParams& params,
                 net::HttpResponse& response) const;
  // The expression of a request that is about the text of a query alone.
  StatusOr<promql::ExprPtr> ParsedParam(const net::HttpRequest& request) const;
  Status WriteStrings(std::vector<std::string> strings, std::vector<std::string> warnings,
                      std::int64_t limit, net::HttpResponse& response) const;

  const ApiOptions options_;
  Evaluator& evaluator_;
  const EndpointSet& endpoints_;
  const Logger logger_;
  const Clock& clock_;
  const TimestampMs started_;
  prometheus::Histogram* timespan_;
  prometheus::Counter* federation_errors_;
  prometheus::Counter* federation_warnings_;
};

}  // namespace aevum::query
