// The querier's HTTP API.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/logging.h"
#include "net/api/routes.h"
#include "net/http/server.h"
#include "query/endpoint_set.h"
#include "query/evaluator.h"
#include "query/metadata_service.h"
#include "query/params.h"
#include "query/rules.h"
#include "query/targets.h"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::query {

struct ApiOptions : EvaluatorOptions {
  ParamDefaults defaults;
  net::WebPrefixOptions prefix;
  bool disable_cors = false;
  bool metadata_partial_response = true;                   // --metric-metadata.partial-response
  bool exemplar_partial_response = true;                   // --exemplar.partial-response
  bool status_partial_response = true;                     // --status.partial-response
  std::vector<std::pair<std::string, std::string>> flags;  // what /status/flags shows
  std::string version;
  std::string revision;
  bool rule_partial_response = true;  // of rules and alerts
  bool target_partial_response = true;
};

// What is asked of endpoints beside their series.
struct ApiServices {
  const Rules& rules;
  const Targets& targets;
  MetadataProxies metadata;
};

// Handlers of /api/v1/* and of /federate. What it borrows must outlive it. Thread-safe.
class Api {
 public:
  Api(ApiOptions options, Evaluator& evaluator, const EndpointSet& endpoints, ApiServices services,
      Logger logger, prometheus::Registry& metrics, const Clock& clock = Clock::System());
  ~Api();

  // Before the server starts.
  void AddRoutes(net::HttpServer& server);

 private:
  using Handler = Status (Api::*)(const Context&, const net::HttpRequest&, net::HttpResponse&);

  // `path` is below /api/v1.
  void Route(net::ApiRoutes& routes, std::string_view method, std::string_view path,
             std::string_view name, Handler handler);

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
  Status MetricMetadata(const Context& context, const net::HttpRequest& request,
                        net::HttpResponse& response);
  Status Exemplars(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response);
  Status TsdbStatus(const Context& context, const net::HttpRequest& request,
                    net::HttpResponse& response);
  Status Federate(const Context& context, const net::HttpRequest& request,
                  net::HttpResponse& response);
  Status Stores(const Context& context, const net::HttpRequest& request,
                net::HttpResponse& response);

  Status Rules(const Context& context, const net::HttpRequest& request,
               net::HttpResponse& response);
  Status Alerts(const Context& context, const net::HttpRequest& request,
                net::HttpResponse& response);
  Status Targets(const Context& context, const net::HttpRequest& request,
                 net::HttpResponse& response);

  StatusOr<RulesAnswer> AskRules(const Context& context, wire::RulesRequest request,
                                 net::HttpResponse& response) const;
  // The context of a request with the timeout and the memory of a query.
  Context Bounded(const Context& context) const;
  // Evaluates a query and writes its result.
  Status Answer(const Context& context, const QueryParams& params, net::HttpResponse& response);
  // InvalidArgument when the engine that a request wants has no plan to show.
  Status CheckExplains(const net::HttpRequest& request) const;
  Status Explain(const Context& context, const QueryParams& params,
                 net::HttpResponse& response) const;
  // The expression of a request that is about the text of a query alone.
  StatusOr<promql::ExprPtr> ParsedParam(const net::HttpRequest& request) const;
  Status WriteStrings(std::vector<std::string> strings, std::vector<std::string> warnings,
                      std::vector<store::MissingPart> missing, std::int64_t limit,
                      net::HttpResponse& response) const;

  const ApiOptions options_;
  Evaluator& evaluator_;
  const EndpointSet& endpoints_;
  const ApiServices services_;
  const Logger logger_;
  const Clock& clock_;
  const TimestampMs started_;
  prometheus::Histogram* timespan_;
  prometheus::Counter* federation_errors_;
  prometheus::Counter* federation_warnings_;
};

}  // namespace aevum::query
