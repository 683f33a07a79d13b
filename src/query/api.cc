#include "query/api.h"

#include <fmt/core.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "promql/parser.h"
#include "promql/pretty_printer.h"
#include "query/answer.h"
#include "query/ast_json.h"
#include "query/errors.h"
#include "query/json_writer.h"

namespace aevum::query {
namespace {

const prometheus::Histogram::BucketBoundaries kTimespans = {
    15 * 60,    60 * 60,    6 * 3600,   12 * 3600,  24 * 3600,   2 * 86400,  7 * 86400,
    15 * 86400, 30 * 86400, 60 * 86400, 90 * 86400, 180 * 86400, 365 * 86400};

}  // namespace

Api::Api(ApiOptions options, Evaluator& evaluator, const EndpointSet& endpoints, Logger logger,
         prometheus::Registry& metrics, const Clock& clock)
    : options_(std::move(options)),
      evaluator_(evaluator),
      endpoints_(endpoints),
      logger_(std::move(logger)),
      clock_(clock),
      started_(clock.NowMs()),
      timespan_(&prometheus::BuildHistogram()
                     .Name("thanos_query_range_requested_timespan_duration_seconds")
                     .Help("A histogram of the query range window in seconds")
                     .Register(metrics)
                     .Add({}, kTimespans)) {}

Api::~Api() = default;

void Api::AddRoutes(net::HttpServer& server) {
  for (const std::string_view method : {"GET", "POST"}) {
    Route(server, method, "/query", "query", &Api::Query);
    Route(server, method, "/query_range", "query_range", &Api::QueryRange);
    Route(server, method, "/parse_query", "parse_query", &Api::ParseQuery);
    Route(server, method, "/format_query", "format_query", &Api::FormatQuery);
    Route(server, method, "/series", "series", &Api::Series);
    Route(server, method, "/labels", "label_names", &Api::Labels);
  }
  Route(server, "GET", "/label/{name}/values", "label_values", &Api::LabelValues);
  Route(server, "GET", "/stores", "stores", &Api::Stores);
  Route(server, "GET", "/status/buildinfo", "status_build", &Api::BuildInfo);
  Route(server, "GET", "/status/flags", "status_flags", &Api::Flags);
  Route(server, "GET", "/status/runtimeinfo", "status_runtime", &Api::RuntimeInfo);
  for (const std::string_view path :
       {"/query", "/query_range", "/parse_query", "/format_query", "/series", "/labels", "/label/{name}/values", "/stores",
        "/status/buildinfo", "/status/flags", "/status/runtimeinfo"}) {
    server.Handle("OPTIONS", fmt::format("{}/api/v1{}", options_.route_prefix, path), "options",
                  [this](const Context&, const net::HttpRequest&, net::HttpResponse& response) {
                    SetCommonHeaders(response);
                    response.SetStatus(204);
                  });
  }
}

void Api::Route(net::HttpServer& server, std::string_view method, std::string_view path,
                std::string_view name, Handler handler) {
  server.Handle(
      method, fmt::format("{}/api/v1{}", options_.route_prefix, path), name,
      [this, handler](const Context& context, const net::HttpRequest& request,
                      net::HttpResponse& response) {
        SetCommonHeaders(response);
        StatusOr<std::string> tenant = TenantOf(options_.tenancy, request);
        if (!tenant.ok()) return WriteError(response, tenant.status());
        const Context identified =
            context.WithRequest({.tenant = *std::move(tenant),
                                 .request_id = std::string(request.Header("X-Request-ID"))});
        if (const Status status = (this->*handler)(identified, request, response); !status.ok()) {
          WriteError(response, status);
        }
      });
}

void Api::SetCommonHeaders(net::HttpResponse& response) const {
  response.SetHeader("Content-Type", "application/json");
  if (options_.disable_cors) return;
  response.SetHeader("Access-Control-Allow-Headers",
                     "Accept, Accept-Encoding, Authorization, Content-Type, Origin");
  response.SetHeader("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  response.SetHeader("Access-Control-Allow-Origin", "*");
  response.SetHeader("Access-Control-Expose-Headers", "Date");
}

void Api::WriteError(net::HttpResponse& response, const Status& status) const {
  const ApiError error = ToApiError(status.code());
  if (error.http_status >= 500) logger_.Error("api error", {{"err", status}});
  response.SetStatus(error.http_status);
  response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  writer.Raw(fmt::format("{{\"status\":\"error\",\"errorType\":\"{}\",\"error\":", error.type));
  writer.String(status.message());
  writer.Raw("}");
  writer.Finish();
}

Status Api::Query(const Context& context, const net::HttpRequest& request,
                  net::HttpResponse& response) {
  ASSIGN_OR_RETURN(const QueryParams params,
                   ParseInstantParams(request, options_.defaults, clock_.NowMs()));
  return Answer(context, params, response);
}

Status Api::QueryRange(const Context& context, const net::HttpRequest& request,
                       net::HttpResponse& response) {
  ASSIGN_OR_RETURN(const QueryParams params, ParseRangeParams(request, options_.defaults));
  timespan_->Observe(static_cast<double>(params.end - params.start) / 1000);
  return Answer(context, params, response);
}

Status Api::ParseQuery(const Context& /*context*/, const net::HttpRequest& request,
                       net::HttpResponse& response) {
  ASSIGN_OR_RETURN(const promql::ExprPtr expr, ParsedParam(request));
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  WriteAst(*expr, writer);
  return FinishAnswer(writer, {});
}

Status Api::FormatQuery(const Context& /*context*/, const net::HttpRequest& request,
                        net::HttpResponse& response) {
  ASSIGN_OR_RETURN(const promql::ExprPtr expr, ParsedParam(request));
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.String(promql::Prettify(*expr));
  return FinishAnswer(writer, {});
}

StatusOr<promql::ExprPtr> Api::ParsedParam(const net::HttpRequest& request) const {
  auto expr = promql::Parse(request.Param("query"), evaluator_.engine().options().parse);
  if (!expr.ok()) return Annotate(expr.status(), "invalid parameter \"query\"");
  return expr;
}

Status Api::Answer(const Context& context, const QueryParams& params,
                   net::HttpResponse& response) {
  ASSIGN_OR_RETURN(const promql::QueryResult result, evaluator_.Evaluate(context, params));
  // An answer that is not complete must not be cached.
  if (!result.store_warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.QueryData(result, params.stats);
  std::vector<std::string> warnings = result.store_warnings;
  warnings.insert(warnings.end(), result.warnings.begin(), result.warnings.end());
  warnings.insert(warnings.end(), result.infos.begin(), result.infos.end());
  return FinishAnswer(writer, warnings);
}

}  // namespace aevum::query
