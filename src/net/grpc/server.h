// The gRPC server over nghttp2: blocking handlers on a pool, streams with back pressure.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "net/grpc/limits.h"

namespace prometheus {
class Registry;
}

namespace aevum::net {
class RequestLog;
class Tracer;
}  // namespace aevum::net

namespace aevum::net::grpc {

// TLS of a server; empty `cert_file` means plain text. Files are read again as they change.
struct ServerTls {
  std::string cert_file = {};
  std::string key_file = {};
  std::string client_ca_file = {};        // set: clients must show a certificate of this CA
  std::string min_version = "1.3";        // 1.0 .. 1.3
  std::vector<std::string> ciphers = {};  // names as Go's crypto/tls has them
  std::vector<std::string> curves = {};   // CurveP256, CurveP384, CurveP521, X25519
};

struct ServerOptions {
  std::string address = "0.0.0.0:10901";  // port 0: a free one
  ServerTls tls = {};
  std::chrono::nanoseconds max_connection_age = std::chrono::minutes(60);  // 0: none
  std::size_t handler_threads = 32;
  std::size_t loops = 1;
  std::size_t max_connections = 4096;
  std::size_t max_message_bytes = (std::size_t{1} << 31) - 1;
  // Bytes of requests that wait or run, over all connections.
  std::size_t max_request_bytes_in_flight = 512 << 20;
  Limits limits = {};
  // Calls that reach their handler are logged; null: none.
  std::shared_ptr<const RequestLog> request_log = nullptr;
  // Calls that reach their handler are spans; null: none.
  std::shared_ptr<Tracer> tracer = nullptr;
};

// One running call, seen by its handler.
class ServerCall {
 public:
  virtual ~ServerCall() = default;
  // Carries the client's deadline, is cancelled when the client resets the stream or is lost;
  // request().tenant and request_id come from the metadata `thanos-tenant` and `request-id`. The
  // tenant is "" or a model::TenantName: a call with another is refused with InvalidArgument.
  virtual const Context& context() const = 0;
  // The request message, decompressed.
  virtual const SharedBytes& request() const = 0;
  // The first metadata value of a (lower-case) key, or "".
  virtual std::string_view Metadata(std::string_view key) const = 0;
  // Queues one response message. Blocks above a high-water mark. False: the call is over, return.
  virtual bool Write(SharedBytes message) = 0;
};

// Runs on the pool. The status that it returns ends the call.
using Handler = std::function<Status(ServerCall&)>;

// Thread-safe after Start.
class Server {
 public:
  Server(ServerOptions options, Logger logger, std::shared_ptr<prometheus::Registry> metrics);
  ~Server();

  // Before Start. `path` as "/thanos.Store/Series". Health and reflection need no registration.
  enum class Kind : std::uint8_t { kUnary, kServerStream };
  void Register(std::string_view path, Kind kind, Handler handler);
  // A serialized FileDescriptorProto, for reflection; services are those registered.
  void AddFileDescriptor(std::string serialized);

  // What grpc.health.v1 answers for the service "". NOT_SERVING until this says otherwise.
  void SetServing(bool serving);

  Status Start();
  std::uint16_t port() const;
  // GOAWAY, then waits up to `grace` for calls to end, then cuts. Idempotent.
  void Stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aevum::net::grpc
