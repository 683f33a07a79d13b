#include <memory>

#include <yaml-cpp/yaml.h>
#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/service.h"
#include "cli/store_flags.h"
#include "sidecar/prometheus_rules.h"
#include "sidecar/sidecar.h"
#include "store/grpc_server.h"

namespace aevum::cli {
namespace {

constexpr const char* kNoUpload =
    "this version does not upload to object storage; leave the flag out and keep uploading with "
    "what does today";

struct SidecarCommand {
  ServiceOptions service;
  RequestLogFlags request_log;
  store::SelectLimits limits;
  FlagSet::Content http_client;
  std::string reloader_method = "http";
  std::string tsdb_path = "./data";
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  sidecar::SidecarOptions options;

  void AddFlags(FlagSet& flags);
  int Run(const GlobalOptions& global);
};

void AddUploadFlags(FlagSet& flags) {
  flags.Group("Object storage (not available)");
  for (const char* name : {"objstore.config", "objstore.config-file", "hash-func",
                           "shipper.meta-file-name", "shipper.upload-concurrency"}) {
    flags.Refused({name, ""}, kNoUpload);
  }
  for (const char* name : {"shipper.upload-compacted", "shipper.ignore-unequal-block-size",
                           "shipper.allow-out-of-order-uploads", "shipper.skip-corrupted-blocks"}) {
    flags.RefusedBool({name, ""}, kNoUpload);
  }
}

void SidecarCommand::AddFlags(FlagSet& flags) {
  AddHttpFlags(flags, &service);
  AddGrpcServerFlags(flags, &service);

  flags.Group("Prometheus");
  flags.String(
      {"prometheus.url", "Base URL of the Prometheus server beside which this runs.", "URL"},
      &options.prometheus_url);
  flags.GoDuration({"prometheus.ready_timeout",
                    "How long Prometheus may take to be ready before an error is logged."},
                   &options.heartbeat.ready_timeout);
  flags.GoDuration(
      {"prometheus.get_config_interval", "How often Prometheus is asked for its external labels."},
      &options.heartbeat.interval);
  flags.GoDuration({"prometheus.get_config_timeout", "How long such a question may take."},
                   &options.heartbeat.timeout);
  flags.ContentPair(
      {"prometheus.http-client",
       "YAML of the HTTP client that talks to Prometheus: authentication, TLS, proxy."},
      &http_client);
  flags.String({"tsdb.path", "Data directory of Prometheus. Only uploads read it.", "DIR"},
               &tsdb_path);
  flags.Time({"min-time",
              "Oldest time whose data is served: RFC 3339, or a duration before now such as -2w."},
             &min_time, "0000-01-01T00:00:00Z");

  flags.Group("Reloader");
  sidecar::ReloaderOptions& reloader = options.reloader;
  flags.String({"reloader.config-file",
                "Configuration of Prometheus to watch; a change reloads Prometheus.", "FILE"},
               &reloader.config_file);
  flags.String(
      {"reloader.config-envsubst-file",
       "Where to write that configuration with $(NAME) replaced by environment variables.", "FILE"},
      &reloader.config_envsubst_file);
  flags.Strings({"reloader.rule-dir", "Directory of rules to watch; may be repeated.", "DIR"},
                &reloader.rule_dirs);
  flags.GoDuration(
      {"reloader.watch-interval", "How often the files are looked at again without an event."},
      &reloader.watch_interval);
  flags.GoDuration(
      {"reloader.retry-interval", "How long after a failed reload the next try comes."},
      &reloader.retry_interval);
  flags.Enum({"reloader.method", "Reload by POST to /-/reload, or by SIGHUP to the process."},
             {"http", "signal"}, &reloader_method);
  flags.String({"reloader.process-name", "Name of the process that gets the signal.", "NAME"},
               &reloader.process_name);

  AddSeriesLimitFlags(flags, &limits);
  request_log.Add(flags);
  AddUploadFlags(flags);
}

int SidecarCommand::Run(const GlobalOptions& global) {
  const Logger logger = MakeLogger(global).With("component", "sidecar");
  const auto fail = [&](const Status& status) {
    logger.Error("can't start", {{"err", status}});
    return kExitFailure;
  };
  const StatusOr<std::string> client_yaml = ReadContent(http_client, /*expand_environment=*/false);
  if (!client_yaml.ok()) return fail(client_yaml.status());
  if (!client_yaml->empty()) {
    auto client = net::ParseHttpClientConfig(*client_yaml);
    if (!client.ok()) return fail(Annotate(client.status(), "--prometheus.http-client"));
    options.http_client = *std::move(client);
  }
  options.heartbeat.min_time = min_time;
  options.reloader.method =
      reloader_method == "signal" ? sidecar::ReloadMethod::kSignal : sidecar::ReloadMethod::kHttp;
  if (const Status status = request_log.Load(logger, &service); !status.ok()) return fail(status);
  if (const Status status = LoadTracing(global, "sidecar", logger, &service); !status.ok())
    return fail(status);

  Service running("sidecar", service, logger);
  const auto follow = [&](const Status& status) {
    if (status.ok()) {
      running.probe().SetReady();
      return;
    }
    const bool first_answer = running.probe().not_ready_reason() == "starting";
    running.probe().SetNotReady(status.message());
    // Without external labels its series can't be told from those of others: nothing to wait for.
    if (first_answer && status.code() == StatusCode::kFailedPrecondition) running.Fail(status);
  };
  sidecar::Sidecar sidecar(options, follow, logger, *running.metrics());
  store::LimitedStore limited(sidecar.store(), limits, running.metrics());
  store::RegisterStore(running.grpc(), limited, running.metrics());
  sidecar::RegisterRules(running.grpc(), sidecar.rules());
  sidecar.RegisterMetadata(running.grpc());
  store::RegisterInfo(running.grpc(), [&](const Context& context) -> StatusOr<wire::InfoResponse> {
    ASSIGN_OR_RETURN(wire::InfoResponse info, sidecar.store().Info(context));
    info.rules = true;
    info.targets = true;
    info.metric_metadata = true;
    info.status = true;
    if (info.store)
      info.exemplars =
          wire::TimeRange{.min_time = info.store->min_time, .max_time = info.store->max_time};
    return info;
  });
  return running.Run([&] { return sidecar.Start(); }, [&] { sidecar.Stop(); });
}

}  // namespace

Runner AddSidecarCommand(CLI::App& app) {
  const auto command = std::make_shared<SidecarCommand>();
  FlagSet flags(app);
  command->AddFlags(flags);
  return [command](const GlobalOptions& global) { return command->Run(global); };
}

}  // namespace aevum::cli
