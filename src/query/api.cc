#include "query/api.h"

#include <algorithm>
#include <set>
#include <thread>

#include <fmt/core.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <unistd.h>

#include "model/quote.h"
#include "query/errors.h"
#include "query/json_writer.h"

namespace aevum::query {
namespace {

constexpr std::string_view kTruncated = "results truncated due to limit";
const prometheus::Histogram::BucketBoundaries kTimespans = {
    15 * 60,    60 * 60,    6 * 3600,   12 * 3600,  24 * 3600,   2 * 86400,  7 * 86400,
    15 * 86400, 30 * 86400, 60 * 86400, 90 * 86400, 180 * 86400, 365 * 86400};

JsonSink SinkOf(net::HttpResponse& response) {
  return [&response](std::string_view piece) { return response.Write(piece); };
}

// Ends a successful answer whose `data` was written: warnings, closing brace.
Status FinishAnswer(JsonWriter& writer, const std::vector<std::string>& warnings) {
  if (!warnings.empty()) {
    writer.Raw(",\"warnings\":");
    writer.Strings(warnings);
  }
  writer.Raw("}");
  writer.Finish();  // a client that is gone needs no error
  return OkStatus();
}

// Names who failed the way the reference does: it tells a store's error by its gRPC code.
Status AnnotateStoreError(Status status, std::string_view what) {
  if (status.code() != StatusCode::kAborted && status.code() != StatusCode::kUnavailable)
    return status;
  return MakeError(status.code(), fmt::format("{}: rpc error: code = {} desc = {}", what,
                                              StatusCodeName(status.code()), status.message()));
}

}  // namespace

Api::Api(ApiOptions options, const promql::Engine& engine, std::shared_ptr<store::Proxy> proxy,
         const EndpointSet& endpoints, Logger logger, std::shared_ptr<prometheus::Registry> metrics,
         const Clock& clock)
    : options_(std::move(options)),
      engine_(engine),
      proxy_(std::move(proxy)),
      endpoints_(endpoints),
      logger_(std::move(logger)),
      clock_(clock),
      started_(clock.NowMs()),
      gate_(options_.max_concurrent, "thanos_query_concurrent_gate_queries", *metrics),
      engine_metrics_(options_.max_concurrent, *metrics),
      timespan_(&prometheus::BuildHistogram()
                     .Name("thanos_query_range_requested_timespan_duration_seconds")
                     .Help("A histogram of the query range window in seconds")
                     .Register(*metrics)
                     .Add({}, kTimespans)) {}

Api::~Api() = default;

void Api::AddRoutes(net::HttpServer& server) {
  for (const std::string_view method : {"GET", "POST"}) {
    Route(server, method, "/query", "query", &Api::Query);
    Route(server, method, "/query_range", "query_range", &Api::QueryRange);
    Route(server, method, "/series", "series", &Api::Series);
    Route(server, method, "/labels", "label_names", &Api::Labels);
  }
  Route(server, "GET", "/label/{name}/values", "label_values", &Api::LabelValues);
  Route(server, "GET", "/stores", "stores", &Api::Stores);
  Route(server, "GET", "/status/buildinfo", "status_build", &Api::BuildInfo);
  Route(server, "GET", "/status/flags", "status_flags", &Api::Flags);
  Route(server, "GET", "/status/runtimeinfo", "status_runtime", &Api::RuntimeInfo);
  for (const std::string_view path :
       {"/query", "/query_range", "/series", "/labels", "/label/{name}/values", "/stores",
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

std::shared_ptr<store::Store> Api::StoreFor(
    const std::vector<model::Matchers>& store_matchers) const {
  if (store_matchers.empty()) return proxy_;
  return proxy_->Restrict(store_matchers);
}

std::unique_ptr<promql::Queryable> Api::QueryableFor(const CommonParams& params,
                                                     const std::string& tenant) const {
  store::QueryableOptions options;
  options.replica_labels = params.replica_labels;
  options.deduplicate = params.dedup;
  options.dedup_function = options_.dedup_function;
  options.max_source_resolution_ms = params.max_source_resolution_ms;
  options.partial_response =
      params.partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  options.shard_info = params.shard_info;
  auto queryable =
      std::make_unique<store::StoreQueryable>(StoreFor(params.store_matchers), std::move(options));
  if (!options_.tenancy.enforce) return queryable;
  return EnforceTenant(std::move(queryable), options_.tenancy.label, tenant);
}

// Downsampled data has samples further apart, so a wider lookback is needed to see them.
std::int64_t Api::LookbackFor(const CommonParams& params) const {
  if (params.lookback_delta_ms > 0) return params.lookback_delta_ms;
  const std::int64_t base = options_.lookback_delta.count();
  if (!options_.dynamic_lookback || params.max_source_resolution_ms <= 0) return base;
  constexpr std::int64_t kFiveMinutes = 5 * 60 * 1000;
  constexpr std::int64_t kHour = 60 * 60 * 1000;
  return std::max(base, params.max_source_resolution_ms > kFiveMinutes ? kHour : kFiveMinutes);
}

std::shared_ptr<MemoryBudget> Api::MakeBudget() const {
  return std::make_shared<MemoryBudget>("query", options_.query_memory_bytes,
                                        options_.total_memory);
}

Status Api::Query(const Context& context, const net::HttpRequest& request,
                  net::HttpResponse& response) {
  ASSIGN_OR_RETURN(const InstantParams params,
                   ParseInstantParams(request, options_.defaults, clock_.NowMs()));
  const Context bounded = context.WithTimeout(params.timeout).WithBudget(MakeBudget());
  EngineMetrics::Query query(engine_metrics_);
  GatePass pass(gate_);
  RETURN_IF_ERROR(pass.Enter(bounded));
  query.Started();
  const auto queryable = QueryableFor(params, context.request().tenant);
  auto result = engine_.Instant(bounded, *queryable, params.query, params.time,
                                {.lookback_delta = std::chrono::milliseconds(LookbackFor(params))});
  query.Evaluated(result.ok() ? result->stats.samples : 0);
  if (!result.ok()) return AnnotateStoreError(result.status(), "expanding series: proxy Series()");
  return WriteResult(*result, params.stats, response);
}

Status Api::QueryRange(const Context& context, const net::HttpRequest& request,
                       net::HttpResponse& response) {
  ASSIGN_OR_RETURN(const RangeParams params, ParseRangeParams(request, options_.defaults));
  timespan_->Observe(static_cast<double>(params.end - params.start) / 1000);
  const Context bounded = context.WithTimeout(params.timeout).WithBudget(MakeBudget());
  EngineMetrics::Query query(engine_metrics_);
  GatePass pass(gate_);
  RETURN_IF_ERROR(pass.Enter(bounded));
  query.Started();
  const auto queryable = QueryableFor(params, context.request().tenant);
  auto result =
      engine_.Range(bounded, *queryable, params.query, params.start, params.end, params.step_ms,
                    {.lookback_delta = std::chrono::milliseconds(LookbackFor(params))});
  query.Evaluated(result.ok() ? result->stats.samples : 0);
  if (!result.ok()) return AnnotateStoreError(result.status(), "expanding series: proxy Series()");
  return WriteResult(*result, params.stats, response);
}

Status Api::WriteResult(const promql::QueryResult& result, bool stats,
                        net::HttpResponse& response) const {
  // An answer that is not complete must not be cached.
  if (!result.store_warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  writer.Raw("{\"status\":\"success\",\"data\":");
  writer.QueryData(result, stats);
  std::vector<std::string> warnings = result.store_warnings;
  warnings.insert(warnings.end(), result.warnings.begin(), result.warnings.end());
  warnings.insert(warnings.end(), result.infos.begin(), result.infos.end());
  return FinishAnswer(writer, warnings);
}

Status Api::WriteStrings(std::vector<std::string> strings, std::vector<std::string> warnings,
                         std::int64_t limit, net::HttpResponse& response) const {
  if (!warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  if (limit > 0 && strings.size() > static_cast<std::size_t>(limit)) {
    strings.resize(static_cast<std::size_t>(limit));
    warnings.emplace_back(kTruncated);
  }
  JsonWriter writer(SinkOf(response));
  writer.Raw("{\"status\":\"success\",\"data\":");
  writer.Strings(strings);
  return FinishAnswer(writer, warnings);
}

// Asks once for each match[] (once without any) and unites the answers.
template <typename Ask>
Status CollectLabels(const std::vector<model::Matchers>& matchers, std::set<std::string>* strings,
                     std::set<std::string>* warnings, Ask ask) {
  const std::vector<model::Matchers> once(1);
  for (const model::Matchers& list : matchers.empty() ? once : matchers) {
    ASSIGN_OR_RETURN(wire::LabelsResponse answer, ask(list));
    strings->insert(answer.strings.begin(), answer.strings.end());
    warnings->insert(answer.warnings.begin(), answer.warnings.end());
  }
  return OkStatus();
}

Status Api::Labels(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response) {
  ASSIGN_OR_RETURN(MetadataParams params,
                   ParseMetadataParams(request, options_.defaults, clock_.NowMs()));
  if (options_.tenancy.enforce)
    EnforceTenant(options_.tenancy.label, context.request().tenant, &params.matchers);
  const Context bounded = context.WithTimeout(options_.defaults.timeout).WithBudget(MakeBudget());
  const auto store = StoreFor(params.store_matchers);
  std::set<std::string> names;
  std::set<std::string> warnings;
  wire::LabelNamesRequest ask;
  ask.partial_response =
      params.partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  ask.start = params.start;
  ask.end = params.end;
  const Status status =
      CollectLabels(params.matchers, &names, &warnings, [&](const model::Matchers& list) {
        ask.matchers = list;
        return store->LabelNames(bounded, ask);
      });
  RETURN_IF_ERROR(AnnotateStoreError(status, "proxy LabelNames()"));
  return WriteStrings({names.begin(), names.end()}, {warnings.begin(), warnings.end()},
                      params.limit, response);
}

Status Api::LabelValues(const Context& context, const net::HttpRequest& request,
                        net::HttpResponse& response) {
  const std::string label(request.PathParam("name"));
  if (label.empty() || !model::IsValidUtf8(label)) {
    std::string text = "invalid label name: ";
    model::AppendGoQuoted(text, label);
    return InvalidArgument("{}", text);
  }
  ASSIGN_OR_RETURN(MetadataParams params,
                   ParseMetadataParams(request, options_.defaults, clock_.NowMs()));
  if (options_.tenancy.enforce)
    EnforceTenant(options_.tenancy.label, context.request().tenant, &params.matchers);
  const Context bounded = context.WithTimeout(options_.defaults.timeout).WithBudget(MakeBudget());
  const auto store = StoreFor(params.store_matchers);
  std::set<std::string> values;
  std::set<std::string> warnings;
  wire::LabelValuesRequest ask;
  ask.label = label;
  ask.partial_response =
      params.partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  ask.start = params.start;
  ask.end = params.end;
  const Status status =
      CollectLabels(params.matchers, &values, &warnings, [&](const model::Matchers& list) {
        ask.matchers = list;
        return store->LabelValues(bounded, ask);
      });
  RETURN_IF_ERROR(AnnotateStoreError(status, "proxy LabelValues()"));
  return WriteStrings({values.begin(), values.end()}, {warnings.begin(), warnings.end()},
                      params.limit, response);
}

Status Api::Series(const Context& context, const net::HttpRequest& request,
                   net::HttpResponse& response) {
  ASSIGN_OR_RETURN(MetadataParams params,
                   ParseMetadataParams(request, options_.defaults, clock_.NowMs()));
  if (params.matchers.empty()) return InvalidArgument("no match[] parameter provided");
  for (const model::Matchers& list : params.matchers) {
    // Without a matcher it would be everything there is.
    if (list.empty()) return InvalidArgument("match[] must contain at least one matcher");
  }
  if (options_.tenancy.enforce)
    EnforceTenant(options_.tenancy.label, context.request().tenant, &params.matchers);
  const Context bounded = context.WithTimeout(options_.defaults.timeout).WithBudget(MakeBudget());
  store::QueryableOptions options;
  options.replica_labels = params.replica_labels;
  options.deduplicate = params.dedup;
  options.partial_response =
      params.partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  options.max_source_resolution_ms = INT64_MAX;
  options.skip_chunks = true;
  store::StoreQueryable queryable(StoreFor(params.store_matchers), std::move(options));

  std::set<model::Labels> series;
  std::set<std::string> warnings;
  MemoryCharge charge(bounded.budget());
  for (const model::Matchers& list : params.matchers) {
    auto stream = queryable.Select(
        bounded, list, {.start_ms = params.start, .end_ms = params.end, .function = "series"});
    if (!stream.ok()) return AnnotateStoreError(stream.status(), "proxy Series()");
    while (true) {
      auto batch = (*stream)->Next();
      if (!batch.ok()) return AnnotateStoreError(batch.status(), "proxy Series()");
      if (*batch == nullptr) break;
      for (std::size_t i = 0; i < (*batch)->size(); ++i) {
        const model::Labels& labels = (*batch)->labels(i);
        if (series.insert(labels).second) {
          RETURN_IF_ERROR(
              charge.Add(static_cast<std::int64_t>(labels.memory_bytes()) + 64, "series"));
        }
      }
    }
    for (std::string& warning : (*stream)->warnings()) warnings.insert(std::move(warning));
  }
  if (!warnings.empty()) response.SetHeader("Cache-Control", "no-store");
  JsonWriter writer(SinkOf(response));
  writer.Raw("{\"status\":\"success\",\"data\":[");
  std::int64_t written = 0;
  for (const model::Labels& labels : series) {
    if (params.limit > 0 && written == params.limit) {
      warnings.emplace(kTruncated);
      break;
    }
    if (written++ > 0) writer.Raw(",");
    writer.Labels(labels);
  }
  writer.Raw("]");
  return FinishAnswer(writer, {warnings.begin(), warnings.end()});
}

Status Api::Stores(const Context& /*context*/, const net::HttpRequest& /*request*/,
                   net::HttpResponse& response) {
  std::map<std::string, std::vector<EndpointStatus>> by_type;
  for (EndpointStatus& status : endpoints_.Statuses()) {
    if (!status.component_type.empty()) by_type[status.component_type].push_back(std::move(status));
  }
  JsonWriter writer(SinkOf(response));
  writer.Raw("{\"status\":\"success\",\"data\":{");
  bool first_type = true;
  for (const auto& [type, statuses] : by_type) {
    if (!std::exchange(first_type, false)) writer.Raw(",");
    writer.String(type);
    writer.Raw(":[");
    bool first = true;
    for (const EndpointStatus& status : statuses) {
      writer.Raw(std::exchange(first, false) ? "{\"name\":" : ",{\"name\":");
      writer.String(status.name);
      writer.Raw(
          fmt::format(",\"lastCheck\":\"{}\",\"lastError\":", FormatRfc3339(status.last_check)));
      if (status.last_error) {
        writer.String(*status.last_error);
      } else {
        writer.Raw("null");
      }
      writer.Raw(",\"labelSets\":[");
      for (std::size_t i = 0; i < status.label_sets.size(); ++i) {
        if (i > 0) writer.Raw(",");
        writer.Labels(status.label_sets[i]);
      }
      writer.Raw(
          fmt::format("],\"minTime\":{},\"maxTime\":{}}}", status.min_time, status.max_time));
    }
    writer.Raw("]");
  }
  writer.Raw("}");
  return FinishAnswer(writer, {});
}

Status Api::BuildInfo(const Context& /*context*/, const net::HttpRequest& /*request*/,
                      net::HttpResponse& response) {
  JsonWriter writer(SinkOf(response));
  writer.Raw("{\"status\":\"success\",\"data\":{\"version\":");
  writer.String(options_.version);
  writer.Raw(",\"revision\":");
  writer.String(options_.revision);
  writer.Raw(",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\",\"goVersion\":\"\"}");
  return FinishAnswer(writer, {});
}

Status Api::Flags(const Context& /*context*/, const net::HttpRequest& /*request*/,
                  net::HttpResponse& response) {
  JsonWriter writer(SinkOf(response));
  writer.Raw("{\"status\":\"success\",\"data\":{");
  bool first = true;
  for (const auto& [name, value] : options_.flags) {
    if (!std::exchange(first, false)) writer.Raw(",");
    writer.String(name);
    writer.Raw(":");
    // A bucket's configuration holds secrets.
    writer.String(name.starts_with("objstore.config") && !value.empty() ? "<REDACTED>" : value);
  }
  writer.Raw("}");
  return FinishAnswer(writer, {});
}

Status Api::RuntimeInfo(const Context& /*context*/, const net::HttpRequest& /*request*/,
                        net::HttpResponse& response) {
  char directory[4096] = "";
  if (::getcwd(directory, sizeof directory) == nullptr) directory[0] = '\0';
  JsonWriter writer(SinkOf(response));
  writer.Raw(fmt::format("{{\"status\":\"success\",\"data\":{{\"startTime\":\"{}\",\"CWD\":",
                         FormatRfc3339(started_)));
  writer.String(directory);
  // The fields of the Go runtime stay for clients that read them; there is no such runtime here.
  writer.Raw(fmt::format(
      ",\"goroutineCount\":0,\"GOMAXPROCS\":{},\"GOGC\":\"\",\"GODEBUG\":\"\",\"GOMEMLIMIT\":0}}",
      std::thread::hardware_concurrency()));
  return FinishAnswer(writer, {});
}

}  // namespace aevum::query
