// What every long-running command shares: logs, metrics, HTTP and gRPC servers, signals, shutdown.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "cli/flags.h"
#include "net/grpc/server.h"
#include "net/http/ops.h"
#include "net/http/server.h"

namespace aevum::net {
class RequestLog;
class Tracer;
struct TracingConfig;
}  // namespace aevum::net

namespace prometheus {
class Registry;
}

namespace aevum::cli {

// Exit codes of the contract.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// The flags that every command takes.
struct GlobalOptions {
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::string debug_name;
  bool auto_memory_limit = false;
  double auto_memory_ratio = 0.9;
  FlagSet::Content tracing;
};
void AddGlobalFlags(FlagSet& flags, GlobalOptions* options);
// A logger, to standard error unless told otherwise. The flags were checked by the parse.
Logger MakeLogger(const GlobalOptions& options,
                  std::shared_ptr<LogSink> sink = LogSink::StandardError());

// The groups "HTTP server" and "gRPC server" of the contract.
struct ServiceOptions {
  std::string http_address = "0.0.0.0:10902";
  Nanoseconds http_grace_period = std::chrono::minutes(2);
  std::string http_config;
  bool has_grpc = true;  // a component without the StoreAPI serves HTTP alone
  std::string grpc_address = "0.0.0.0:10901";
  Nanoseconds grpc_grace_period = std::chrono::minutes(2);
  Nanoseconds grpc_max_connection_age = std::chrono::minutes(60);
  net::grpc::ServerTls grpc_tls;
  std::shared_ptr<const net::RequestLog> request_log;  // null: no lines about requests
  std::shared_ptr<const net::TracingConfig> tracing;   // null: no traces
};
void AddHttpFlags(FlagSet& flags, ServiceOptions* options);
void AddGrpcServerFlags(FlagSet& flags, ServiceOptions* options);

// Reads --tracing.config into `service`, and logs what of it has no effect. InvalidArgument names
// the field.
Status LoadTracing(const GlobalOptions& global, std::string_view component, const Logger& logger,
                   ServiceOptions* service);

// Blocks SIGINT and SIGTERM for this thread and all that it starts, and ignores SIGHUP and SIGPIPE.
// Before any thread is started; Service::Run then waits for the signals.
void BlockSignals();

// One running component: its servers and its end.
//
//     Service service("sidecar", options, logger);
//     ... routes on http(), services on grpc(), gauges on metrics() ...
//     return service.Run(start, stop);
//
// Single use; Run is called by the main thread.
class Service {
 public:
  // `tenant_header` "" for components without tenants.
  Service(std::string component, const ServiceOptions& options, Logger logger,
          std::string tenant_header = "", std::string default_tenant = "");
  ~Service();

  const Logger& logger() const { return logger_; }
  const std::shared_ptr<prometheus::Registry>& metrics() const { return metrics_; }
  net::HttpServer& http() { return *http_; }
  // Only of a component that has gRPC.
  net::grpc::Server& grpc() { return *grpc_; }
  net::Probe& probe() { return *probe_; }

  // Starts the servers, then the component; waits for SIGINT or SIGTERM, or for Fail(). Then: not
  // ready; servers drain within their grace periods; the component stops; spans that wait are sent,
  // for five seconds at most. A second signal ends the process at once. Returns the exit code.
  int Run(const std::function<Status()>& start, const std::function<void()>& stop);
  // Ends Run with exit code 1, from any thread. The first error counts.
  void Fail(Status status);
  // Ends Run once the work is done, with exit code 0, or as Fail does; from any thread, not after
  // the component was told to stop.
  void End(Status status);

 private:
  int Wait();

  const std::string component_;
  const ServiceOptions options_;
  const Logger logger_;
  const std::shared_ptr<prometheus::Registry> metrics_;
  Mutex mutex_;
  Status failure_ AEVUM_GUARDED_BY(mutex_);
  bool done_ AEVUM_GUARDED_BY(mutex_) = false;
  std::shared_ptr<net::Tracer> tracer_;  // null: none
  std::unique_ptr<net::Probe> probe_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<net::grpc::Server> grpc_;  // null without gRPC
};

}  // namespace aevum::cli
