// The HTTP client: pooled connections, deadlines and cancellation from the context.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/status.h"

namespace aevum::net {

// The client blocks of the YAML contract (section 8). Files are read again for each request.
struct HttpClientOptions {
  std::string basic_auth_username;
  std::string basic_auth_password;
  std::string basic_auth_password_file;
  std::string bearer_token;
  std::string bearer_token_file;
  std::string proxy_url;
  std::string tls_ca_file;
  std::string tls_cert_file;
  std::string tls_key_file;
  std::string tls_server_name;
  bool tls_insecure_skip_verify = false;
  std::size_t max_idle_connections = 100;
  std::size_t max_idle_connections_per_host = 2;
  std::chrono::milliseconds idle_timeout{90'000};
  std::chrono::milliseconds response_header_timeout{0};
  std::chrono::milliseconds connect_timeout{5'000};
  bool disable_compression = false;
  // Up to ten; off, a 3xx is an answer like others.
  bool follow_redirects = true;
  // Without `proxy_url`: the proxy variables of the environment hold, but not for this machine.
  bool proxy_from_environment = false;
};

// Reads such a block, YAML or JSON. Unknown fields are errors that name the field and its line.
StatusOr<HttpClientOptions> ParseHttpClientConfig(std::string_view yaml);

struct HttpClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string_view span_name = {};  // of the call in a trace; "": it has no span of its own
  // Instead of `body`: a body that is read as it is sent, from any place, since a connection that
  // broke before its first answer is tried again.
  struct BodySource {
    std::int64_t size_bytes = 0;
    std::function<Status(std::int64_t offset, std::span<char> out)> read;
  };
  std::optional<BodySource> body_source;
  bool secret_query = false;  // the query stays out of errors and traces
};

struct HttpClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // "" when it went to a sink
  std::string_view Header(std::string_view name) const;
};

// Takes pieces of a body as they come, in the caller's thread; an error ends the transfer and is
// its result. Called only for answers with status 2xx; other bodies (cut at 64 KiB) go to
// HttpClientResponse::body.
using BodySink = std::function<Status(std::string_view piece)>;

// Sees status and headers of a 2xx before the first piece of its body (never when that is empty);
// an error ends the transfer and is its result.
using HeadSink = std::function<Status(const HttpClientResponse& head)>;

// A request tells the trace of its context in the headers of W3C. Thread-safe.
class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();

  // An answer of any status is a response; no answer is Unavailable, DeadlineExceeded or Cancelled
  // with the URL (without user and password) in the message. A body larger than `max_body_bytes`
  // is ResourceExhausted.
  StatusOr<HttpClientResponse> Do(const Context& context, const HttpClientRequest& request,
                                  std::size_t max_body_bytes = 64 << 20);
  // As above with the body of a 2xx streamed and no limit on it.
  StatusOr<HttpClientResponse> Stream(const Context& context, const HttpClientRequest& request,
                                      const BodySink& sink, const HeadSink& on_head = nullptr);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aevum::net
