#include "query/api.h"

#include <fmt/core.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "promql/parser.h"
#include "promql/pretty_printer.h"
#include "query/answer.h"
#include "query/ast_json.h"
#include "query/errors.h"
#include "query/json_writer.h"
#include "query/stats_json.h"

namespace aevum::query {
namespace {

// The path that is not of the API, but of Prometheus itself.
constexpr std::string_view kFederate = "/federate";

const prometheus::Histogram::BucketBoundaries kTimespans = {
    15 * 60,    60 * 60,    6 * 3600,   12 * 3600,  24 * 3600,   2 * 86400,  7 * 86400,
    15 * 86400, 30 * 86400, 60 * 86400, 90 * 86400, 180 * 86400, 365 * 86400};

constexpr std::string_view kNotAnalyzable = "Query not analyzable; change engine to 'thanos'.";

// Leaves the first `limit` series. False when there are no more.
bool Truncate(std::size_t limit, promql::QueryResult* result) {
  if (result->ranges.size() > limit) {
    result->ranges.resize(limit);
    return true;
  }
  if (result->rows.size() <= limit) return false;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < result->rows.size(); ++i) {
    if (!result->rows.AnyPresent(i)) continue;  // such rows are not shown
    if (kept.size() == limit) {
      result->rows.Select(kept);
      return true;
    }
    kept.push_back(i);
  }
  return false;
}

}  // namespace

Api::Api(ApiOptions options, Evaluator& evaluator, const EndpointSet& endpoints,
         ApiServices services, Logger logger, prometheus::Registry& metrics, const Clock& clock)
    : options_(std::move(options)),
      evaluator_(evaluator),
      endpoints_(endpoints),
      services_(services),
      logger_(std::move(logger)),
      clock_(clock),
      started_(clock.NowMs()),
      timespan_(&prometheus::BuildHistogram()
                     .Name("thanos_query_range_requested_timespan_duration_seconds")
                     .Help("A histogram of the query range window in seconds")
                     .Register(metrics)
                     .Add({}, kTimespans)),
      federation_errors_(
          &prometheus::BuildCounter()
               .Name("prometheus_web_federation_errors_total")
               .Help("Total number of errors that occurred while sending federation responses.")
               .Register(metrics)
               .Add({})),
      federation_warnings_(
          &prometheus::BuildCounter()
               .Name("prometheus_web_federation_warnings_total")
               .Help("Total number of warnings that occurred while sending federation responses.")
               .Register(metrics)
               .Add({})) {}

Api::~Api() = default;

void Api::AddRoutes(net::HttpServer& server) {
  for (const std::string_view method : {"GET", "POST"}) {
    Route(server, method, "/query", "query", &Api::Query);
    Route(server, method, "/query_range", "query_range", &Api::QueryRange);
    Route(server, method, "/query_explain", "query_explain", &Api::QueryExplain);
    Route(server, method, "/query_range_explain", "query_range_explain", &Api::QueryRangeExplain);
    Route(server, method, "/parse_query", "parse_query", &Api::ParseQuery);
    Route(server, method, "/format_query", "format_query", &Api::FormatQuery);
    Route(server, method, "/series", "series", &Api::Series);
    Route(server, method, "/labels", "label_names", &Api::Labels);
    Route(server, method, "/query_exemplars", "exemplars", &Api::Exemplars);
  }
  Route(server, "GET", kFederate, "federate", &Api::Federate);
  Route(server, "GET", "/label/{name}/values", "label_values", &Api::LabelValues);
  Route(server, "GET", "/stores", "stores", &Api::Stores);
  Route(server, "GET", "/rules", "rules", &Api::Rules);
  Route(server, "GET", "/alerts", "alerts", &Api::Alerts);
  Route(server, "GET", "/targets", "targets", &Api::Targets);
  Route(server, "GET", "/metadata", "metadata", &Api::MetricMetadata);
  Route(server, "GET", "/status/tsdb", "status_tsdb", &Api::TsdbStatus);
  Route(server, "GET", "/status/buildinfo", "status_build", &Api::BuildInfo);
  Route(server, "GET", "/status/flags", "status_flags", &Api::Flags);
  Route(server, "GET", "/status/runtimeinfo", "status_runtime", &Api::RuntimeInfo);
  AddRedirects(server);
  // As in Thanos any path: a browser asks before it knows which there are.
  for (const char* pattern : {"/api/v1/{path...}", "/federate"}) {
    server.Handle("OPTIONS", options_.prefix.route + pattern, "options",
                  [this](const Context&, const net::HttpRequest&, net::HttpResponse& response) {
                    SetCorsHeaders(response);
                    response.SetStatus(204);
                  });
  }
}

// To where the pages are, as browsers see it.
void Api::AddRedirects(net::HttpServer& server) const {
  const WebPrefixOptions& prefix = options_.prefix;
  const auto add = [&](const std::string& path, bool direct) {
    server.Handle("GET", path, "",
                  [this, direct](const Context&, const net::HttpRequest& request,
                                 net::HttpResponse& response) {
                    const std::string to =
                        direct ? options_.prefix.route : WebPrefixFor(options_.prefix, request);
                    response.SetHeader("Location", to + "/graph");
                    response.SetStatus(302);
                  });
  };
  if (!prefix.route.empty()) {
    add("/", true);
    add(prefix.route, false);
  }
  if (!prefix.route.empty() || !prefix.external.empty() || !prefix.header.empty())
    add(prefix.route + "/", false);
}

std::string Api::PathOf(std::string_view path) const {
  return fmt::format("{}{}{}", options_.prefix.route, path == kFederate ? "" : "/api/v1", path);
}

void Api::Route(net::HttpServer& server, std::string_view method, std::string_view path,
                std::string_view name, Handler handler) {
  server.Handle(
      method, PathOf(path), name,
      [this, handler](const Context& context, const net::HttpRequest& request,
                      net::HttpResponse& connection) {
        // As long as a query may take, anew: a slow reader has not made it.
        TimedResponse response(connection, options_.defaults.timeout);
        SetCommonHeaders(response);
        const StatusOr<model::TenantName> tenant = TenantOf(options_.tenancy, request);
        if (!tenant.ok()) return WriteError(response, tenant.status());
        const Context identified = context.WithRequest(
            {.tenant = tenant->value(), .request_id = std::string(request.Header("X-Request-ID"))});
        if (const Status status = (this->*handler)(identified, request, response); !status.ok()) {
          WriteError(response, status);
        }
      });
}

void Api::SetCommonHeaders(net::HttpResponse& response) const {
  response.SetHeader("Content-Type", "application/json");
  SetCorsHeaders(response);
}

void Api::SetCorsHeaders(net::HttpResponse& response) const {
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

Context Api::Bounded(const Context& context) const {
  return context.WithTimeout(options_.defaults.timeout).WithBudget(evaluator_.MakeBudget());
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

Status Api::QueryExplain(const Context& context, const net::HttpRequest& request,
                         net::HttpResponse& response) {
  RETURN_IF_ERROR(CheckExplains(request));
  ASSIGN_OR_RETURN(const QueryParams params,
                   ParseInstantParams(request, options_.defaults, clock_.NowMs()));
  return Explain(context, params, response);
}

Status Api::QueryRangeExplain(const Context& context, const net::HttpRequest& request,
                              net::HttpResponse& response) {
  RETURN_IF_ERROR(CheckExplains(request));
  ASSIGN_OR_RETURN(const QueryParams params, ParseRangeParams(request, options_.defaults));
  return Explain(context, params, response);
}

Status Api::CheckExplains(const net::HttpRequest& request) const {
  ASSIGN_OR_RETURN(const std::string engine, ParseEngine(request, options_.defaults));
  if (engine != "thanos") return InvalidArgument("engine type must be 'thanos'");
  return OkStatus();
}

Status Api::Explain(const Context& context, const QueryParams& params,
                    net::HttpResponse& response) const {
  ASSIGN_OR_RETURN(const promql::PlanNode plan, evaluator_.Explain(context, params));
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  WritePlan(plan, writer);
  return FinishAnswer(writer, {});
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
  writer.Raw("\"");
  promql::Prettify(*expr, [&writer](std::string_view piece) { writer.StringPart(piece); });
  writer.Raw("\"");
  return FinishAnswer(writer, {});
}

StatusOr<promql::ExprPtr> Api::ParsedParam(const net::HttpRequest& request) const {
  auto expr = promql::Parse(request.Param("query"), evaluator_.engine().options().parse);
  if (!expr.ok()) return Annotate(expr.status(), "invalid parameter \"query\"");
  return expr;
}

Status Api::Answer(const Context& context, const QueryParams& params, net::HttpResponse& response) {
  const auto missing = MissingFor(params.dedup, params.replica_labels);
  ASSIGN_OR_RETURN(promql::QueryResult result, evaluator_.Evaluate(context, params, missing));
  std::vector<std::string> warnings = std::move(result.store_warnings);
  if (params.analyze && !params.analyzable) warnings.emplace_back(kNotAnalyzable);
  if (params.limit > 0 && Truncate(static_cast<std::size_t>(params.limit), &result))
    warnings.emplace_back(kTruncated);
  const std::vector<store::MissingPart> parts = missing->List();
  // An answer that is not complete must not be cached.
  if (!warnings.empty() || !parts.empty()) response.SetHeader("Cache-Control", "no-store");
  warnings.insert(warnings.end(), result.warnings.begin(), result.warnings.end());
  warnings.insert(warnings.end(), result.infos.begin(), result.infos.end());
  JsonWriter writer(SinkOf(response));
  BeginAnswer(writer);
  writer.QueryData(result, params.stats);
  return FinishAnswer(writer, warnings, parts);
}

}  // namespace aevum::query
