#include "net/grpc/server.h"

#include <unistd.h>
#include <algorithm>

#include "net/grpc/listener.h"
#include "net/grpc/server_connection.h"
#include "net/grpc/server_core.h"
#include "net/grpc/socket.h"

namespace aevum::net::grpc {
namespace {

// A connection submits at most half a pool, so this is never the first bound to be met.
constexpr std::size_t kPoolQueue = 1 << 16;

std::size_t UnaryThreads(const ServerOptions& options) {
  return std::max<std::size_t>(2, options.handler_threads / 4);
}

StatusOr<std::unique_ptr<tls::Context>> MakeTls(const ServerTls& tls, const Logger& logger) {
  ASSIGN_OR_RETURN(const tls::Version version, tls::ParseVersion(tls.min_version));
  tls::ServerConfig config;
  config.cert.file = tls.cert_file;
  config.key.file = tls.key_file;
  config.client_ca.file = tls.client_ca_file;
  config.client_auth =
      tls.client_ca_file.empty() ? tls::ClientAuth::kNone : tls::ClientAuth::kRequireAndVerify;
  config.min_version = version;
  config.ciphers = tls.ciphers;
  config.curves = tls.curves;
  config.alpn = {"h2"};
  return tls::Context::ForServer(std::move(config), logger);
}

CallType TypeOf(const Method& method) {
  if (method.builtin == Builtin::kReflection) return CallType::kBidiStream;
  return method.kind == Server::Kind::kUnary ? CallType::kUnary : CallType::kServerStream;
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Logger logger, std::shared_ptr<prometheus::Registry> registry)
      : registry_(registry ? std::move(registry) : std::make_shared<prometheus::Registry>()),
        metrics_(CallMetrics::Side::kServer, registry_) {
    core_.options = std::move(options);
    core_.logger = std::move(logger);
    core_.panics = &prometheus::BuildCounter()
                        .Name("grpc_req_panics_recovered_total")
                        .Help("Exceptions of gRPC handlers that were caught.")
                        .Register(*registry_)
                        .Add({});
    AddBuiltin("/grpc.health.v1.Health/Check", Kind::kUnary, Builtin::kHealthCheck);
    AddBuiltin("/grpc.health.v1.Health/Watch", Kind::kServerStream, Builtin::kHealthWatch);
    for (const std::string_view version : {"v1", "v1alpha"}) {
      AddBuiltin(fmt::format("/grpc.reflection.{}.ServerReflection/ServerReflectionInfo", version),
                 Kind::kServerStream, Builtin::kReflection);
    }
  }

  ~Impl() { Stop(std::chrono::milliseconds(0)); }

  void Add(std::string_view path, Method method) {
    AEVUM_CHECK(path.starts_with('/') && loops_.empty());
    method.metrics = &metrics_.Of(path, TypeOf(method));
    core_.reflection.AddService(std::string(path.substr(1, path.rfind('/') - 1)));
    core_.methods[std::string(path)] = std::move(method);
  }

  void AddFileDescriptor(std::string serialized) {
    if (Status status = core_.reflection.AddFile(std::move(serialized)); !status.ok()) {
      core_.logger.Warn("gRPC reflection leaves out a file", {{"err", status}});
    }
  }

  void SetServing(bool serving) {
    if (core_.serving.exchange(serving) == serving) return;
    for (const auto& home : loops_) {
      home->loop.Post([&home = *home] {
        for (ServerConnection* connection : Copy(home)) connection->ServingChanged();
      });
    }
  }

  Status Start() {
    AEVUM_CHECK(loops_.empty());
    const ServerOptions& options = core_.options;
    if (!options.tls.cert_file.empty() || !options.tls.key_file.empty()) {
      ASSIGN_OR_RETURN(core_.tls, MakeTls(options.tls, core_.logger));
    } else if (!options.tls.client_ca_file.empty()) {
      return InvalidArgument("a client CA is given but no server certificate: give both");
    }
    ASSIGN_OR_RETURN(const int fd, Listen(options.address));
    port_ = LocalPort(fd);
    core_.unary_pool =
        std::make_unique<ThreadPool>("grpc-unary", UnaryThreads(options), kPoolQueue);
    core_.stream_pool = std::make_unique<ThreadPool>(
        "grpc-stream", std::max<std::size_t>(1, options.handler_threads), kPoolQueue);
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options.loops); ++i) {
      loops_.push_back(
          std::make_unique<ServerLoop>(fmt::format("grpc-loop-{}", i), options.limits.tick));
    }
    for (const auto& home : loops_) {
      if (Status status = home->loop.Start(); !status.ok()) {
        ::close(fd);
        return status;
      }
    }
    listener_ = std::make_shared<Listener>(fd, core_, loops_);
    loops_.front()->loop.Post([this] {
      if (Status status = listener_->Start(); !status.ok()) {
        core_.logger.Error("can't accept gRPC connections", {{"err", status}});
      }
    });
    return OkStatus();
  }

  void Stop(std::chrono::milliseconds grace) {
    if (loops_.empty() || std::exchange(stopped_, true)) return;
    // The listener closes first, on its loop; what it handed out before is in the other loops'
    // queues before the order to drain.
    loops_.front()->loop.Post([this] {
      if (listener_) listener_->Close();
      for (const auto& home : loops_) {
        home->loop.Post([&home = *home] {
          for (ServerConnection* connection : Copy(home)) connection->Drain();
        });
      }
    });
    WaitForConnections(std::chrono::steady_clock::now() + grace);
    for (const auto& home : loops_) {
      home->loop.Post([&home = *home] {
        for (ServerConnection* connection : Copy(home)) {
          connection->Close(Unavailable("server stopped"));
        }
      });
    }
    WaitForConnections(std::chrono::steady_clock::now() + std::chrono::seconds(5));
    core_.stream_pool->Stop();
    core_.unary_pool->Stop();
    for (const auto& home : loops_) home->loop.Stop();
    listener_.reset();
  }

  std::uint16_t port() const { return port_; }

 private:
  static std::vector<ServerConnection*> Copy(const ServerLoop& home) {
    return {home.connections.begin(), home.connections.end()};
  }

  void AddBuiltin(std::string_view path, Kind kind, Builtin builtin) {
    Add(path, {.kind = kind, .builtin = builtin, .handler = {}, .metrics = nullptr});
  }

  void WaitForConnections(std::chrono::steady_clock::time_point until) {
    MutexLock lock(core_.mutex);
    while (core_.connections > 0) {
      if (!lock.WaitUntil(core_.changed, until)) return;
    }
  }

  const std::shared_ptr<prometheus::Registry> registry_;
  CallMetrics metrics_;
  ServerCore core_;
  std::uint16_t port_ = 0;
  bool stopped_ = false;
  std::vector<std::unique_ptr<ServerLoop>> loops_;
  std::shared_ptr<Listener> listener_;
};

Server::Server(ServerOptions options, Logger logger, std::shared_ptr<prometheus::Registry> metrics)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(logger), std::move(metrics))) {}

Server::~Server() = default;

void Server::Register(std::string_view path, Kind kind, Handler handler) {
  impl_->Add(
      path,
      {.kind = kind, .builtin = Builtin::kNone, .handler = std::move(handler), .metrics = nullptr});
}

void Server::AddFileDescriptor(std::string serialized) {
  impl_->AddFileDescriptor(std::move(serialized));
}

void Server::SetServing(bool serving) { impl_->SetServing(serving); }

Status Server::Start() { return impl_->Start(); }

std::uint16_t Server::port() const { return impl_->port(); }

void Server::Stop(std::chrono::milliseconds grace) { impl_->Stop(grace); }

}  // namespace aevum::net::grpc
