#include <algorithm>
#include <memory>

#include <unistd.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/service.h"
#include "cli/store_flags.h"
#include "cli/version.h"
#include "cli/web_flags.h"
#include "query/metadata_service.h"
#include "query/query.h"
#include "query/query_service.h"
#include "query/rules_service.h"
#include "store/grpc_server.h"
#include "store/limits.h"
#include "web/pages.h"

namespace aevum::cli {
namespace {

constexpr std::int64_t kMaxThreads = 1024;

// Half of the machine's memory for all queries, a quarter for one: the rest is for connections,
// answers on their way, and other programs.
std::uint64_t MachineMemory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGE_SIZE);
  return pages > 0 && page > 0
             ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)
             : std::uint64_t{4} << 30;
}

struct QueryCommand {
  ServiceOptions service;
  RequestLogFlags request_log;
  store::SelectLimits limits;
  query::QueryOptions options;

  // Endpoints.
  std::vector<std::string> endpoints, strict, groups, strict_groups;
  FlagSet::Content sd_config;
  query::ClientConfig client;
  std::string compression = "none";
  FlagSet::Content selector_relabel;

  // Queries.
  std::string engine = "prometheus";
  std::string mode = "local";
  std::string dedup_function = "adaptive";
  std::string active_query_path;
  std::string refused_queries_file;
  bool disable_fallback = false;
  std::int64_t max_concurrent = 20;
  std::int64_t max_concurrent_select = 4;
  std::int64_t threads = 0;
  Nanoseconds lookback_delta{0};
  Nanoseconds default_evaluation_interval = std::chrono::minutes(1);
  std::vector<std::string> replica_labels;
  std::vector<std::string> features;
  std::vector<std::pair<std::string, std::string>> selector_labels;
  std::uint64_t memory_budget = MachineMemory() / 4;
  std::uint64_t total_memory_budget = MachineMemory() / 2;

  // Web.
  WebFlags web{WebFlags::Routes::kPrefixed};
  std::string alert_query_url;
  std::string dns_resolver = "miekgdns";
  std::string proxy_strategy = "eager";
  std::int64_t lazy_buffer = 20;

  void AddFlags(FlagSet& flags);
  void AddEndpointFlags(FlagSet& flags);
  void AddQueryFlags(FlagSet& flags);
  void AddWebAndTenantFlags(FlagSet& flags);
  Status Finish(const GlobalOptions& global, const FlagSet& flags);
  Status FinishEndpoints();
  Status FinishLimits(const GlobalOptions& global);
  void FinishEngine();
  Status FinishWebAndTenancy();
  int Run(const GlobalOptions& global, const FlagSet& flags);
};

void QueryCommand::AddEndpointFlags(FlagSet& flags) {
  flags.Group("Endpoints");
  const std::string schemes =
      " host:port, or behind DNS as dns+host:port, dnssrv+name, dnssrvnoa+name; may be repeated.";
  flags.Strings({"endpoint", "Address of a StoreAPI server:" + schemes, "ADDRESS"}, &endpoints);
  flags.Strings({"store", "The same as --endpoint, for old command lines.", "ADDRESS"}, &endpoints);
  flags.Strings(
      {"store-strict", "The same as --endpoint-strict, for old command lines.", "ADDRESS"},
      &strict);
  flags.Strings(
      {"endpoint-strict",
       "Address that is always asked, also while it does not answer; may be repeated.", "ADDRESS"},
      &strict);
  flags.Strings(
      {"endpoint-group", "Address behind which several servers take turns:" + schemes, "ADDRESS"},
      &groups);
  flags.Strings({"endpoint-group-strict", "Such an address that is always asked; may be repeated.",
                 "ADDRESS"},
                &strict_groups);
  flags.ContentPair(
      {"endpoint.sd-config", "YAML list of endpoints with TLS and compression of each."},
      &sd_config);
  flags.PrometheusDuration(
      {"endpoint.sd-config-reload-interval", "How often that file is read again."},
      &options.endpoints.sd_config_interval);
  flags.PrometheusDuration(
      {"endpoint.info-timeout",
       "How long an endpoint may take to say what it is, and how often it is asked.", "DURATION",
       Visibility::kHidden},
      &options.endpoints.info_timeout);
  flags.Strings({"store.sd-files",
                 "Files with addresses of endpoints, by pattern; may be repeated.", "PATTERN"},
                &options.endpoints.sd_files);
  flags.PrometheusDuration({"store.sd-interval", "How often those files are read again."},
                           &options.endpoints.sd_interval);
  flags.PrometheusDuration({"store.sd-dns-interval", "How often DNS is asked again."},
                           &options.endpoints.dns_interval);
  flags.String({"store.sd-dns-resolver", "Kept for old command lines; there is one resolver.",
                "NAME", Visibility::kHidden},
               &dns_resolver);
  flags.PrometheusDuration(
      {"store.unhealthy-timeout", "How long an endpoint that does not answer is still shown."},
      &options.endpoints.unhealthy_timeout);
  flags.PrometheusDuration({"store.response-timeout",
                            "A store that gives nothing for so long has failed; 0ms: no limit."},
                           &options.proxy.response_timeout);
  flags.Strings(
      {"query.conn-metric.label", "Label of the metric of connections; may be repeated.", "NAME"},
      &options.endpoints.metric_labels);
  flags.Double(
      {"endpoint-group.hedge-quantile",
       "A member of a group that is slower than this part of its last answers is not waited for "
       "alone: a second one is asked and the first answer counts; 0: never."},
      &options.endpoints.group.hedge_quantile);
  flags.Strings({"inject-test-addresses", "Members of every group beside those of its name.",
                 "ADDRESS", Visibility::kHidden},
                &options.endpoints.extra_addresses);

  flags.Group("gRPC client");
  flags.Bool({"grpc-client-tls-secure", "Use TLS to talk to endpoints."}, &client.tls.enabled);
  flags.Bool({"grpc-client-tls-skip-verify", "Don't check their certificates."},
             &client.tls.insecure_skip_verify);
  flags.String({"grpc-client-tls-cert", "Certificate to show.", "FILE"}, &client.tls.cert_file);
  flags.String({"grpc-client-tls-key", "Its key.", "FILE"}, &client.tls.key_file);
  flags.String({"grpc-client-tls-ca",
                "CA that their certificates must come from; empty: the system's.", "FILE"},
               &client.tls.ca_file);
  flags.String({"grpc-client-server-name", "Name that their certificates must hold.", "NAME"},
               &client.tls.server_name);
  flags.Enum({"grpc-client-tls-min-version", "Lowest TLS version that is accepted."},
             {"1.0", "1.1", "1.2", "1.3"}, &client.tls.min_version);
  flags.Enum({"grpc-compression", "How messages to endpoints are compressed."}, {"snappy", "none"},
             &compression);
}

void QueryCommand::AddQueryFlags(FlagSet& flags) {
  query::ParamDefaults& defaults = options.api.defaults;
  flags.Group("Queries");
  flags.PrometheusDuration({"query.timeout", "Longest time that a query may take."},
                           &defaults.timeout);
  flags.Int({"query.max-concurrent", "Queries that run at the same time; the others wait."},
            &max_concurrent);
  flags.Int({"query.max-concurrent-select",
             "Selects of a query that may run at the same time; they never do, since they are read "
             "one after another."},
            &max_concurrent_select);
  flags.Int({"query.threads",
             "Threads that evaluate the series of a query: its own, and helpers that all queries "
             "share; 0: one a core. 1: each query has its own alone."},
            &threads);
  flags.Bytes(
      {"query.memory-budget",
       "Most memory that one query may use; 0: no limit. By default a quarter of the machine's."},
      &memory_budget);
  flags.Bytes({"query.total-memory-budget",
               "Most memory that all queries together may use; 0: no limit. By default half of the "
               "machine's."},
              &total_memory_budget);
  flags.GoDuration(
      {"query.lookback-delta", "How far back an instant selector looks for a sample; 0s: 5m."},
      &lookback_delta);
  flags.Bool({"query.dynamic-lookback-delta", "Look further back on downsampled data.", "",
              Visibility::kHidden},
             &options.api.dynamic_lookback);
  flags.PrometheusDuration(
      {"query.default-evaluation-interval", "Step of subqueries that give none."},
      &default_evaluation_interval);
  flags.PrometheusDuration({"query.default-step", "Smallest step of range queries that give none."},
                           &defaults.default_step);
  flags.Strings({"query.replica-label",
                 "Label that tells replicas apart; may be repeated, commas split.", "NAME"},
                &replica_labels);
  flags.Enum({"deduplication.func", "How the samples of replicas become one series."},
             {"adaptive", "penalty", "chain"}, &dedup_function);
  flags.Bool(
      {"query.partial-response", "Answer with what is there when a store fails, with a warning."},
      &defaults.partial_response);
  flags.Bool({"query.auto-downsampling", "Use downsampled data by the step of the query."},
             &defaults.auto_downsampling);
  flags.PrometheusDuration({"query.instant.default.max_source_resolution",
                            "Coarsest data for instant queries.", "DURATION", Visibility::kHidden},
                           &defaults.instant_max_source_resolution);
  flags.GoDuration({"query.metadata.default-time-range",
                    "Range of labels and series requests that give none; 0s: all."},
                   &defaults.metadata_time_range);
  flags.QuotedPairs(
      {"selector-label", "Label that this querier says its series have; may be repeated."},
      &selector_labels);
  flags.ContentPair({"selector.relabel-config",
                     "YAML relabel rules (keep, drop, hashmod) on the labels of stores."},
                    &selector_relabel);
  flags.Strings({"enable-feature",
                 "promql-experimental-functions, promql-duration-expr, "
                 "promql-extended-range-selectors, promql-binop-fill-modifiers, "
                 "promql-delayed-name-removal, type-and-unit-labels or use-start-timestamps; "
                 "others are accepted and do nothing. May be repeated.",
                 "NAME"},
                &features);
  flags.Enum({"query.promql-engine", "Both names mean the one engine there is."},
             {"prometheus", "thanos"}, &engine);
  flags.Enum({"query.mode",
              "local: this querier reads all series; distributed: queriers among the endpoints "
              "evaluate what they can for their own series. Answers are the same."},
             {"local", "distributed"}, &mode);
  flags.Bool({"query.disable-fallback", "Kept for old command lines.", "", Visibility::kHidden},
             &disable_fallback);
  flags.Bool(
      {"query.enable-x-functions",
       "Let queries use xrate, xincrease and xdelta: over windows that include the last sample "
       "before them."},
      &options.engine.parse.x_functions);
  flags.Bool(
      {"query.distributed-with-overlapping-interval",
       "Of queriers with the same external labels let one whose times cover the query answer "
       "alone, though others may have samples that it lacks.",
       "", Visibility::kHidden},
      &options.api.distribution.overlapping_intervals);
  flags.Strings(
      {"query.partition-label",
       "External label that tells the queriers of --query.mode=distributed apart; every "
       "store behind them must have it. May be repeated; none: all but the replica labels.",
       "NAME"},
      &options.api.distribution.partition_labels);
  flags.String(
      {"query.active-query-path",
       "Directory whose file queries.active says which queries run; after a crash the next "
       "start logs them.",
       "DIR"},
      &active_query_path);
  flags.String(
      {"query.refused-queries-file",
       "YAML list of queries that are not evaluated, each with a reason for its users; read again "
       "when it changes.",
       "FILE"},
      &refused_queries_file);
  flags.Enum({"grpc.proxy-strategy", "Kept for old command lines.", "", Visibility::kHidden},
             {"eager", "lazy"}, &proxy_strategy);
  flags.Int({"query.lazy-retrieval-max-buffered-responses", "Kept for old command lines.", "",
             Visibility::kHidden},
            &lazy_buffer);
  const auto partial_response = [&](std::string_view api, std::string_view path, bool* value) {
    flags.Bool(
        {fmt::format("{}.partial-response", api),
         fmt::format("Answer {} with what is there when an endpoint fails, with a warning.", path),
         "", Visibility::kHidden},
        value);
  };
  partial_response("rule", "/rules and /alerts", &options.api.rule_partial_response);
  partial_response("target", "/targets", &options.api.target_partial_response);
  partial_response("metric-metadata", "/metadata", &options.api.metadata_partial_response);
  partial_response("exemplar", "/query_exemplars", &options.api.exemplar_partial_response);
  partial_response("status", "/status/tsdb", &options.api.status_partial_response);
  const auto telemetry = [&](std::string_view name, std::string_view what,
                             std::vector<double>* bounds) {
    flags.Doubles({fmt::format("query.telemetry.request-{}-quantiles", name),
                   fmt::format("Bound of {} in thanos_store_api_query_duration_seconds; may be "
                               "repeated.",
                               what),
                   "NUMBER", Visibility::kHidden},
                  bounds);
  };
  query::SelectMetricsOptions& selects = options.api.selects;
  telemetry("duration-seconds", "durations", &selects.duration_seconds);
  telemetry("samples", "samples", &selects.samples);
  telemetry("series-seconds", "series", &selects.series);
}

void QueryCommand::AddWebAndTenantFlags(FlagSet& flags) {
  web.Add(flags);
  flags.String({"alert.query-url", "URL of this server for links in alerts.", "URL"},
               &alert_query_url);

  query::TenancyOptions& tenancy = options.api.tenancy;
  flags.Group("Tenancy");
  flags.String({"query.tenant-header", "Header that names the tenant.", "NAME"}, &tenancy.header);
  flags.String({"query.default-tenant-id", "Tenant of requests that name none.", "ID"},
               &tenancy.default_tenant);
  flags.Enum({"query.tenant-certificate-field",
              "Take the tenant from this field of the client's certificate."},
             {"", "organization", "organizationalUnit", "commonName"}, &tenancy.certificate_field);
  flags.Bool(
      {"query.enforce-tenancy", "Let a tenant see only series whose tenant label is its own."},
      &tenancy.enforce);
  flags.String({"query.tenant-label-name", "That label.", "NAME"}, &tenancy.label);
}

void QueryCommand::AddFlags(FlagSet& flags) {
  AddHttpFlags(flags, &service);
  AddGrpcServerFlags(flags, &service);
  AddEndpointFlags(flags);
  AddQueryFlags(flags);
  AddWebAndTenantFlags(flags);
  AddSeriesLimitFlags(flags, &limits);
  request_log.Add(flags);
}

Status QueryCommand::FinishEndpoints() {
  client.compression =
      compression == "snappy" ? net::grpc::Compression::kSnappy : net::grpc::Compression::kNone;
  query::EndpointOptions& endpoint_options = options.endpoints;
  const double quantile = endpoint_options.group.hedge_quantile;
  if (!(quantile >= 0 && quantile < 1)) {
    return InvalidArgument("--endpoint-group.hedge-quantile: must be from 0 to below 1, got {}",
                           quantile);
  }
  endpoint_options.default_client = client;
  const auto add = [&](const std::vector<std::string>& addresses, bool is_strict, bool is_group) {
    for (const std::string& address : addresses) {
      endpoint_options.endpoints.push_back({.address = address,
                                            .strict = is_strict,
                                            .group = is_group,
                                            .client = client,
                                            .common = client});
    }
  };
  add(endpoints, false, false);
  add(strict, true, false);
  add(groups, false, true);
  add(strict_groups, true, true);
  ASSIGN_OR_RETURN(endpoint_options.sd_config,
                   ReadContent(sd_config, /*expand_environment=*/false));
  endpoint_options.sd_config_file = sd_config.path;
  ASSIGN_OR_RETURN(endpoint_options.selector, ReadSelector(selector_relabel));
  return OkStatus();
}

Status QueryCommand::FinishLimits(const GlobalOptions& global) {
  query::ApiOptions& api = options.api;
  const auto at_least_one = [](std::string_view name, std::int64_t value) {
    return value >= 1 ? OkStatus() : InvalidArgument("{}: must be at least 1, got {}", name, value);
  };
  RETURN_IF_ERROR(at_least_one("--query.max-concurrent", max_concurrent));
  api.max_concurrent = static_cast<std::size_t>(max_concurrent);
  RETURN_IF_ERROR(at_least_one("--query.max-concurrent-select", max_concurrent_select));
  api.selects.max_concurrent = static_cast<std::size_t>(max_concurrent_select);
  if (threads < 0 || threads > kMaxThreads)
    return InvalidArgument("--query.threads: must be from 0 to {}, got {}", kMaxThreads, threads);
  options.engine.threads = static_cast<std::size_t>(threads);
  const auto limit = [](std::uint64_t bytes) {
    return bytes == 0 || bytes > INT64_MAX ? MemoryBudget::kUnlimited
                                           : static_cast<std::int64_t>(bytes);
  };
  if (global.auto_memory_limit) {
    if (!(global.auto_memory_ratio > 0 && global.auto_memory_ratio <= 1)) {
      return InvalidArgument("--auto-gomemlimit.ratio: must be above 0 and at most 1, got {}",
                             global.auto_memory_ratio);
    }
    total_memory_budget =
        static_cast<std::uint64_t>(static_cast<double>(MachineMemory()) * global.auto_memory_ratio);
  }
  api.query_memory_bytes = limit(memory_budget);
  api.total_memory = std::make_shared<MemoryBudget>("all queries'", limit(total_memory_budget));
  return OkStatus();
}

void QueryCommand::FinishEngine() {
  promql::EngineOptions& engine_options = options.engine;
  if (lookback_delta.count() > 0)
    engine_options.lookback_delta =
        std::chrono::duration_cast<std::chrono::milliseconds>(lookback_delta);
  options.api.lookback_delta = engine_options.lookback_delta;
  engine_options.default_subquery_step =
      std::chrono::duration_cast<std::chrono::milliseconds>(default_evaluation_interval);
  const auto enabled = [&](std::string_view feature) {
    return std::find(features.begin(), features.end(), feature) != features.end();
  };
  engine_options.parse.experimental_functions = enabled("promql-experimental-functions");
  engine_options.parse.duration_expressions = enabled("promql-duration-expr");
  engine_options.parse.extended_range_selectors = enabled("promql-extended-range-selectors");
  engine_options.use_start_timestamps = enabled("use-start-timestamps");
  engine_options.parse.fill_modifiers = enabled("promql-binop-fill-modifiers");
  engine_options.delayed_name_removal = enabled("promql-delayed-name-removal");
  engine_options.type_and_unit_labels = enabled("type-and-unit-labels");
}

Status QueryCommand::FinishWebAndTenancy() {
  ASSIGN_OR_RETURN(const net::ApiRoutesOptions routes, web.Read());
  options.api.prefix = routes.prefix;
  options.api.disable_cors = routes.disable_cors;
  // Without a default every request has to name its tenant.
  const std::string& tenant = options.api.tenancy.default_tenant;
  if (tenant.empty()) return OkStatus();
  return Annotate(model::TenantName::Parse(tenant).status(), "--query.default-tenant-id");
}

Status QueryCommand::Finish(const GlobalOptions& global, const FlagSet& flags) {
  RETURN_IF_ERROR(FinishEndpoints());
  RETURN_IF_ERROR(FinishLimits(global));
  FinishEngine();
  RETURN_IF_ERROR(FinishWebAndTenancy());
  query::ApiOptions& api = options.api;
  for (const std::string& text : replica_labels) {
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t comma = std::min(text.find(',', start), text.size());
      if (comma > start) api.defaults.replica_labels.push_back(text.substr(start, comma - start));
      start = comma + 1;
    }
  }
  ASSIGN_OR_RETURN(api.dedup_function, store::ParseDedupFunction(dedup_function));
  for (const auto* bounds :
       {&api.selects.duration_seconds, &api.selects.samples, &api.selects.series}) {
    // As well refuses what is no number.
    const auto not_below = [](double a, double b) { return !(a < b); };
    if (std::adjacent_find(bounds->begin(), bounds->end(), not_below) != bounds->end())
      return InvalidArgument("--query.telemetry.*: bounds must ascend");
  }
  std::vector<model::Label> labels;
  for (const auto& [name, value] : selector_labels) labels.push_back({name, value});
  options.proxy.selector_labels = model::Labels::FromUnsorted(std::move(labels));
  api.distribution.selector_labels = options.proxy.selector_labels;
  api.distribution.enabled = mode == "distributed";
  api.defaults.engine = api.distribution.enabled ? "thanos" : engine;
  api.flags = flags.Values();
  api.version = std::string(kVersion);
  api.revision = std::string(kRevision);
  return OkStatus();
}

int QueryCommand::Run(const GlobalOptions& global, const FlagSet& flags) {
  const Logger logger = MakeLogger(global).With("component", "query");
  Status status = Finish(global, flags);
  if (status.ok() && !active_query_path.empty()) {
    auto log = query::ActiveQueryLog::Open(active_query_path, options.api.max_concurrent, logger);
    if (log.ok()) options.api.active_queries = *std::move(log);
    status = log.status();
  }
  if (status.ok()) status = request_log.Load(logger, &service);
  if (status.ok()) status = LoadTracing(global, "query", logger, &service);
  if (!status.ok()) {
    logger.Error("can't start", {{"err", status}});
    return kExitFailure;
  }
  Service running("query", service, logger, options.api.tenancy.header,
                  options.api.tenancy.default_tenant);
  if (!refused_queries_file.empty()) {
    auto refused = query::RefusedQueriesFile::Open(refused_queries_file, options.engine.parse,
                                                   logger, *running.metrics());
    if (!refused.ok()) {
      logger.Error("can't start", {{"err", refused.status()}});
      return kExitFailure;
    }
    options.api.refused_queries = *std::move(refused);
  }
  query::Query querier(options, logger, running.metrics());
  querier.AddRoutes(running.http());
  status = web::AddPages(running.http(),
                         {.component = web::Component::kQuery, .prefix = options.api.prefix});
  if (!status.ok()) {
    logger.Error("can't start", {{"err", status}});
    return kExitFailure;
  }
  store::LimitedStore limited(querier.store(), limits, running.metrics());
  const auto make_budget = [&] { return querier.evaluator().MakeBudget(); };
  store::RegisterStore(running.grpc(), limited, running.metrics(), make_budget);
  store::RegisterInfo(running.grpc(), [&](const Context& context) -> StatusOr<wire::InfoResponse> {
    if (!running.probe().ready()) return Unavailable("the querier is not ready");
    ASSIGN_OR_RETURN(wire::InfoResponse info, querier.store().Info(context));
    info.query = true;
    info.rules = true;
    info.targets = true;
    info.metric_metadata = true;
    info.status = true;
    info.exemplars = querier.ExemplarTimes();
    return info;
  });
  query::RegisterQuery(running.grpc(), querier.evaluator(),
                       {.defaults = options.api.defaults, .tenancy = options.api.tenancy});
  query::RegisterRules(running.grpc(), querier.rules(), querier.evaluator());
  query::RegisterTargets(running.grpc(), querier.targets(), querier.evaluator());
  query::RegisterMetadataServices(running.grpc(), querier.metadata(), make_budget);
  return running.Run([&] { return querier.Start([&] { running.probe().SetReady(); }); },
                     [&] { querier.Stop(); });
}

}  // namespace

Runner AddQueryCommand(CLI::App& app) {
  const auto command = std::make_shared<QueryCommand>();
  const auto flags = std::make_shared<FlagSet>(app);
  command->AddFlags(*flags);
  return [command, flags](const GlobalOptions& global) { return command->Run(global, *flags); };
}

}  // namespace aevum::cli
