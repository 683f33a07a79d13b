// The HTTP/1.1 server: routes, blocking handlers on a pool, streamed answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"

namespace prometheus {
class Registry;
}

namespace aevum::net {

class RequestLog;
class Tracer;

// Names and values in order; names may repeat.
using Fields = std::vector<std::pair<std::string, std::string>>;

// A request as the handler sees it: whole, within the limits of the server.
struct HttpRequest {
  std::string method;  // "GET", upper case
  std::string path;    // percent-decoded, without the query
  std::string target;  // as it came, for logs
  Fields headers;
  Fields params;       // decoded: of the body for form POSTs, then of the query, as Go orders them
  Fields path_params;  // of {name} parts of the route
  std::string body;
  std::string remote_address;
  std::string user;             // of basic auth, else ""
  std::string tls_common_name;  // subject of the client's certificate, else ""
  std::string tls_organization;
  std::string tls_organizational_unit;

  // The first header or parameter of that name (headers: whatever the case), or "".
  std::string_view Header(std::string_view name) const;
  std::string_view Param(std::string_view name) const;
  bool HasParam(std::string_view name) const;
  std::vector<std::string> AllParams(std::string_view name) const;
  std::string_view PathParam(std::string_view name) const;
};

// Where a handler writes its answer. The first Write sends the headers; small answers go out whole
// with a Content-Length, larger ones chunked, compressed with gzip when the client accepts it and
// the answer is large enough. A handler that writes nothing answers with an empty body.
// Used by the handler's thread alone.
class HttpResponse {
 public:
  virtual ~HttpResponse() = default;
  // Before the first Write. Names and values with CR, LF or NUL end the answer with 500.
  virtual void SetStatus(int status) = 0;
  virtual void SetHeader(std::string_view name, std::string_view value) = 0;
  // Blocks while the client reads slowly. False when the client is gone or the deadline is past:
  // stop then.
  virtual bool Write(std::string_view bytes) = 0;
  virtual int status() const = 0;
  // The answer can't be completed: 500 when nothing went out yet, else the connection is cut, so
  // that the client sees that the answer is not whole.
  virtual void Abort() {}
};

// Blocks as long as it needs within the context, which is cancelled when the client goes away and
// when the server stops after its grace period. Exceptions are caught, counted and answered 500.
using HttpHandler = std::function<void(const Context&, const HttpRequest&, HttpResponse&)>;

struct HttpServerOptions {
  std::string address = "0.0.0.0:10902";  // port 0: a free one
  std::string web_config_file;  // TLS and basic auth, "" for none; read again as it changes
  std::size_t handler_threads = 64;
  std::size_t handler_queue = 256;  // requests that wait for a thread; more are answered 503
  std::size_t max_connections = 4096;
  std::size_t max_header_bytes = 64 << 10;
  std::size_t max_body_bytes = 32 << 20;             // an 8 MiB query takes 24 percent-encoded
  std::size_t max_body_bytes_in_flight = 512 << 20;  // of all requests; more are answered 503
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  // Without the client taking a byte, or 64 KiB of what a handler waits to write.
  std::chrono::milliseconds write_timeout{60'000};
  std::chrono::milliseconds idle_timeout{300'000};  // between requests
  // The header that names the tenant in the metrics; "" leaves the label `tenant` out. Without the
  // header it is `default_tenant`, with one that is no model::TenantName "invalid".
  std::string tenant_header;
  std::string default_tenant;
  // Requests to routes with a name are logged; null: none.
  std::shared_ptr<const RequestLog> request_log;
  // Requests to routes with a name are spans; null: none.
  std::shared_ptr<Tracer> tracer;
};

// Thread-safe after Start.
class HttpServer {
 public:
  HttpServer(HttpServerOptions options, Logger logger,
             std::shared_ptr<prometheus::Registry> metrics);
  ~HttpServer();

  // Routes must be added before Start. `pattern` is a path whose parts may be {name}, which matches
  // one part, or end in {name...}, which matches the rest. A pattern that is longer or more literal
  // wins. `name` is the `handler` label of http_requests_total and its kin; "" leaves the route
  // out of these metrics. `method` "" means any. HEAD is answered as GET without a body.
  void Handle(std::string_view method, std::string_view pattern, std::string_view name,
              HttpHandler handler);
  // As Handle, for handlers that never wait: they run on two threads of their own, so that probes
  // and metrics are answered while all other threads are busy. Not counted in the metrics.
  void HandleLight(std::string_view method, std::string_view pattern, HttpHandler handler);

  // Listens. The error names the address, or the file and field of the web config.
  Status Start();
  // The port it listens on, after Start.
  std::uint16_t port() const;
  // Takes no new connections, lets requests end within `grace`, cancels the rest. Idempotent.
  void Stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aevum::net
