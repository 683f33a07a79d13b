#include "cli/service.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "base/environment.h"
#include "cli/version.h"
#include "net/tracing/config.h"
#include "wire/descriptors.h"

namespace aevum::cli {
namespace {

sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

std::chrono::milliseconds Milliseconds(Nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

void AddBuildInfo(prometheus::Registry& registry) {
  prometheus::BuildGauge()
      .Name("thanos_build_info")
      .Help("A metric with a constant '1' value labeled by the version of this build.")
      .Register(registry)
      .Add({{"version", std::string(kVersion)},
            {"revision", std::string(kRevision)},
            {"branch", ""},
            {"goversion", ""},
            {"goos", "linux"},
            {"goarch", std::string(kArchitecture)},
            {"tags", ""}})
      .Set(1);
}

// How long the spans of the last requests may take to leave.
constexpr std::chrono::seconds kTracingGrace{5};

std::shared_ptr<net::Tracer> MakeTracer(const ServiceOptions& options, const Logger& logger,
                                        const std::shared_ptr<prometheus::Registry>& metrics) {
  if (!options.tracing) return nullptr;
  return std::make_shared<net::Tracer>(options.tracing->tracer, net::MakeExporter(*options.tracing),
                                       logger, metrics);
}

net::HttpServerOptions HttpOptions(const ServiceOptions& options,
                                   std::shared_ptr<net::Tracer> tracer, std::string tenant_header,
                                   std::string default_tenant) {
  net::HttpServerOptions http;
  http.tracer = std::move(tracer);
  http.tenant_header = std::move(tenant_header);
  http.default_tenant = std::move(default_tenant);
  http.address = options.http_address;
  http.web_config_file = options.http_config;
  http.request_log = options.request_log;
  return http;
}

net::grpc::ServerOptions GrpcOptions(const ServiceOptions& options,
                                     std::shared_ptr<net::Tracer> tracer) {
  net::grpc::ServerOptions grpc;
  grpc.tracer = std::move(tracer);
  grpc.address = options.grpc_address;
  grpc.tls = options.grpc_tls;
  grpc.max_connection_age = options.grpc_max_connection_age;
  grpc.request_log = options.request_log;
  return grpc;
}

// As many connections as the servers allow need as many descriptors.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // what was there stays when it is refused
}

}  // namespace

void AddGlobalFlags(FlagSet& flags, GlobalOptions* options) {
  flags.Group("Global");
  flags.Enum({"log.level", "Log lines of this level and above."},
             {"error", "warn", "info", "debug"}, &options->log_level);
  flags.Enum({"log.format", "How log lines are written."}, {"logfmt", "json", "journald"},
             &options->log_format);
  flags.String({"debug.name", "Name to put into every log line.", "NAME", Visibility::kHidden},
               &options->debug_name);
  flags.Bool({"enable-auto-gomemlimit",
              "Bound the memory of all queries together to --auto-gomemlimit.ratio of the "
              "machine's or the cgroup's."},
             &options->auto_memory_limit);
  flags.Double({"auto-gomemlimit.ratio",
                "Share of the memory that --enable-auto-gomemlimit grants, above 0 and at most 1."},
               &options->auto_memory_ratio);
  flags.ContentPair(
      {"tracing.config", "YAML that says where traces go and which requests have one."},
      &options->tracing);
}

Status LoadTracing(const GlobalOptions& global, std::string_view component, const Logger& logger,
                   ServiceOptions* service) {
  ASSIGN_OR_RETURN(const std::string yaml,
                   ReadContent(global.tracing, /*expand_environment=*/true));
  if (yaml.empty()) return OkStatus();
  ASSIGN_OR_RETURN(
      net::TracingConfig config,
      net::ParseTracingConfig(yaml, fmt::format("aevum-{}", component), ProcessEnvironment()));
  for (const std::string& setting : config.without_effect)
    logger.Warn("a setting of the tracing configuration has no effect", {{"setting", setting}});
  service->tracing = std::make_shared<const net::TracingConfig>(std::move(config));
  return OkStatus();
}

Logger MakeLogger(const GlobalOptions& options, std::shared_ptr<LogSink> sink) {
  const LogLevel level = options.log_level == "debug"   ? LogLevel::kDebug
                         : options.log_level == "warn"  ? LogLevel::kWarn
                         : options.log_level == "error" ? LogLevel::kError
                                                        : LogLevel::kInfo;
  const LogFormat format = options.log_format == "json"       ? LogFormat::kJson
                           : options.log_format == "journald" ? LogFormat::kJournald
                                                              : LogFormat::kLogfmt;
  Logger logger(std::move(sink), level, format);
  return options.debug_name.empty() ? logger : logger.With("name", options.debug_name);
}

void AddHttpFlags(FlagSet& flags, ServiceOptions* options) {
  flags.Group("HTTP server");
  flags.String({"http-address", "Listen host:port for the API, metrics and probes.", "ADDRESS"},
               &options->http_address);
  flags.PrometheusDuration(
      {"http-grace-period", "How long requests may go on after a signal to stop."},
      &options->http_grace_period);
  flags.String({"http.config",
                "Path to the file that turns on TLS or basic authentication for HTTP.", "FILE"},
               &options->http_config);
}

void AddGrpcServerFlags(FlagSet& flags, ServiceOptions* options) {
  flags.Group("gRPC server");
  net::grpc::ServerTls& tls = options->grpc_tls;
  flags.String({"grpc-address", "Listen host:port for gRPC (the StoreAPI).", "ADDRESS"},
               &options->grpc_address);
  flags.String(
      {"grpc-server-tls-cert", "TLS certificate of the gRPC server; empty: no TLS.", "FILE"},
      &tls.cert_file);
  flags.String({"grpc-server-tls-key", "TLS key of the gRPC server.", "FILE"}, &tls.key_file);
  flags.String({"grpc-server-tls-client-ca",
                "CA that clients' certificates must come from; empty: none is asked for.", "FILE"},
               &tls.client_ca_file);
  flags.Enum({"grpc-server-tls-min-version", "Lowest TLS version that is accepted."},
             {"1.0", "1.1", "1.2", "1.3"}, &tls.min_version);
  flags.Strings(
      {"grpc-server-tls-ciphers", "Cipher suite for TLS up to 1.2; may be repeated.", "NAME"},
      &tls.ciphers);
  flags.Strings({"grpc-server-tls-curves",
                 "Curve: CurveP256, CurveP384, CurveP521, X25519; may be repeated.", "NAME"},
                &tls.curves);
  flags.GoDuration({"grpc-server-max-connection-age",
                    "Age at which a gRPC connection is closed after its calls ended."},
                   &options->grpc_max_connection_age);
  flags.GoDuration({"grpc-grace-period", "How long gRPC calls may go on after a signal to stop."},
                   &options->grpc_grace_period);
}

void BlockSignals() {
  const sigset_t set = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
}

Service::Service(std::string component, const ServiceOptions& options, Logger logger,
                 std::string tenant_header, std::string default_tenant)
    : component_(std::move(component)),
      options_(options),
      logger_(std::move(logger)),
      metrics_(std::make_shared<prometheus::Registry>()),
      tracer_(MakeTracer(options, logger_, metrics_)),
      probe_(std::make_unique<net::Probe>(component_, logger_, metrics_)),
      http_(std::make_unique<net::HttpServer>(
          HttpOptions(options, tracer_, std::move(tenant_header), std::move(default_tenant)),
          logger_.With("service", "http/server"), metrics_)),
      grpc_(options.has_grpc ? std::make_unique<net::grpc::Server>(
                                   GrpcOptions(options, tracer_),
                                   logger_.With("service", "gRPC/server"), metrics_)
                             : nullptr) {
  RaiseDescriptorLimit();
  AddBuildInfo(*metrics_);
  net::AddOpsRoutes(*http_, *probe_, metrics_);
  if (!grpc_) return;
  for (const std::string_view file : wire::FileDescriptors())
    grpc_->AddFileDescriptor(std::string(file));
  probe_->OnReadyChange([this](bool ready) { grpc_->SetServing(ready); });
}

Service::~Service() = default;

void Service::Fail(Status status) {
  {
    MutexLock lock(mutex_);
    if (failure_.ok()) failure_ = std::move(status);
  }
  ::kill(::getpid(), SIGTERM);
}

void Service::End(Status status) {
  if (!status.ok()) {
    Fail(std::move(status));
    return;
  }
  {
    MutexLock lock(mutex_);
    done_ = true;
  }
  ::kill(::getpid(), SIGTERM);
}

int Service::Wait() {
  const sigset_t set = HandledSignals();
  int signal = 0;
  sigwait(&set, &signal);
  MutexLock lock(mutex_);
  if (!failure_.ok()) {
    logger_.Error("stopping after a failure", {{"err", failure_}});
    return kExitFailure;
  }
  if (done_) {
    logger_.Info("all is done");
    return 0;
  }
  logger_.Info("caught signal. Exiting.",
               {{"signal", signal == SIGINT ? "interrupt" : "terminated"}});
  return 0;
}

int Service::Run(const std::function<Status()>& start, const std::function<void()>& stop) {
  if (tracer_) tracer_->Start();
  Status status = http_->Start();
  if (status.ok() && grpc_) status = grpc_->Start();
  if (status.ok()) status = start();
  if (!status.ok()) {
    logger_.Error("can't start", {{"err", status}});
    http_->Stop(std::chrono::milliseconds(0));
    if (grpc_) grpc_->Stop(std::chrono::milliseconds(0));
    stop();
    return kExitFailure;
  }
  if (grpc_) {
    logger_.Info("listening", {{"http", http_->port()}, {"grpc", grpc_->port()}});
  } else {
    logger_.Info("listening", {{"http", http_->port()}});
  }
  probe_->SetHealthy();
  const int exit_code = Wait();

  // Whoever asks twice does not want to wait: from here a signal does what it does by default.
  const sigset_t signals = HandledSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  probe_->SetNotReady("shutting down");
  std::thread draining([&] {
    if (grpc_) grpc_->Stop(Milliseconds(options_.grpc_grace_period));
  });
  http_->Stop(Milliseconds(options_.http_grace_period));
  draining.join();
  stop();
  if (tracer_) tracer_->Stop(kTracingGrace);
  logger_.Info("exiting");
  return exit_code;
}

}  // namespace aevum::cli
