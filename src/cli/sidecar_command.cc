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

struct SidecarCommand {
  ServiceOptions service;
  RequestLogFlags request_log;
  store::SelectLimits limits;
  FlagSet::Content http_client;
  std::string reloader_method = "http";
  std::string tsdb_path = "./data";
  ObjectStorageFlags object_storage;
  std::string hash;
  std::int64_t upload_concurrency = 0;
  TimeOrDuration min_time = *TimeOrDuration::Parse("0000-01-01T00:00:00Z");
  sidecar::SidecarOptions options;

  void AddFlags(FlagSet& flags);
  void AddUploadFlags(FlagSet& flags);
  Status FinishUploads();
  int Run(const GlobalOptions& global);
};

void SidecarCommand::AddUploadFlags(FlagSet& flags) {
  object_storage.Add(flags);
  flags.Group("Shipper");
  block::ShipperOptions& shipper = options.uploads.shipper;
  flags.Bool({"shipper.upload-compacted",
              "Also upload blocks that Prometheus compacted, for a first upload of what it has."},
             &shipper.upload_compacted);
  flags.Enum({"hash-func", "Hash of each file to note in meta.json."}, {"SHA256", ""}, &hash);
  flags.String(
      {"shipper.meta-file-name", "File below --tsdb.path that lists what was uploaded.", "FILE"},
      &shipper.state_file);
  flags.Int({"shipper.upload-concurrency",
             "Files of a block that are uploaded at once; 0: one after the other."},
            &upload_concurrency);
  flags.Bool({"shipper.ignore-unequal-block-size",
              "Upload although Prometheus compacts its blocks.", "", Visibility::kHidden},
             &options.uploads.ignore_unequal_block_size);
  flags.Bool({"shipper.allow-out-of-order-uploads",
              "Go on with later blocks when one can't be uploaded.", "", Visibility::kHidden},
             &shipper.allow_out_of_order);
  flags.Bool({"shipper.skip-corrupted-blocks", "Go on with later blocks when one can't be read.",
              "", Visibility::kHidden},
             &shipper.skip_corrupted);
}

Status SidecarCommand::FinishUploads() {
  if (upload_concurrency < 0) {
    return InvalidArgument("--shipper.upload-concurrency: must be at least 0, got {}",
                           upload_concurrency);
  }
  block::ShipperOptions& shipper = options.uploads.shipper;
  shipper.directory = tsdb_path;
  shipper.upload_concurrency = static_cast<std::size_t>(upload_concurrency);
  shipper.hash = hash.empty() ? block::HashFunction::kNone : block::HashFunction::kSha256;
  return OkStatus();
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
  if (const Status status = FinishUploads(); !status.ok()) return fail(status);
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
  auto bucket = object_storage.Open(*running.metrics());
  if (!bucket.ok()) return fail(bucket.status());
  sidecar::Sidecar sidecar(
      options, follow, *std::move(bucket), [&](const Status& refused) { running.Fail(refused); },
      logger, *running.metrics());
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
