#include "query/api.h"

#include <fmt/core.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "net/api/status.h"
#include "promql/parser.h"
#include "promql/pretty_printer.h"
#include "query/answer.h"
#include "query/ast_json.h"
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
  net::ApiRoutes routes(server,
                        {.prefix = options_.prefix,
                         .disable_cors = options_.disable_cors,
                         // As long as a query may take, anew: a slow reader has not made it.
                         .answer_timeout = options_.defaults.timeout},
                        logger_);
  for (const std::string_view method : {"GET", "POST"}) {
    Route(routes, method, "/query", "query", &Api::Query);
    Route(routes, method, "/query_range", "query_range", &Api::QueryRange);
    Route(routes, method, "/query_explain", "query_explain", &Api::QueryExplain);
    Route(routes, method, "/query_range_explain", "query_range_explain", &Api::QueryRangeExplain);
    Route(routes, method, "/parse_query", "parse_query", &Api::ParseQuery);
    Route(routes, method, "/format_query", "format_query", &Api::FormatQuery);
    Route(routes, method, "/series", "series", &Api::Series);
    Route(routes, method, "/labels", "label_names", &Api::Labels);
    Route(routes, method, "/query_exemplars", "exemplars", &Api::Exemplars);
  }
  Route(routes, "GET", kFederate, "federate", &Api::Federate);
  Route(routes, "GET", "/label/{name}/values", "label_values", &Api::LabelValues);
  Route(routes, "GET", "/stores", "stores", &Api::Stores);
  Route(routes, "GET", "/rules", "rules", &Api::Rules);
  Route(routes, "GET", "/alerts", "alerts", &Api::Alerts);
  Route(routes, "GET", "/targets", "targets", &Api::Targets);
  Route(routes, "GET", "/metadata", "metadata", &Api::MetricMetadata);
  Route(routes, "GET", "/status/tsdb", "status_tsdb", &Api::TsdbStatus);
  net::AddStatusRoutes(routes, {.flags = options_.flags,
                                .version = options_.version,
                                .revision = options_.revision,
                                .started_ms = started_});
  // As in Thanos any path: a browser asks before it knows which there are.
  routes.AddOptions("/api/v1/{path...}");
  routes.AddOptions(kFederate);
}

void Api::Route(net::ApiRoutes& routes, std::string_view method, std::string_view path,
                std::string_view name, Handler handler) {
  routes.Add(
      method, fmt::format("{}{}", path == kFederate ? "" : "/api/v1", path), name,
      [this, handler](const Context& context, const net::HttpRequest& request,
                      net::HttpResponse& response) -> Status {
        ASSIGN_OR_RETURN(const model::TenantName tenant, TenantOf(options_.tenancy, request));
        const Context identified = context.WithRequest(
            {.tenant = tenant.value(), .request_id = std::string(request.Header("X-Request-ID"))});
        return (this->*handler)(identified, request, response);
      });
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
