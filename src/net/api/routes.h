// The routes of an HTTP API: prefixes, headers, errors and CORS, the same for each handler.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/status.h"
#include "net/api/web_prefix.h"
#include "net/http/server.h"

namespace aevum::net {

struct ApiRoutesOptions {
  WebPrefixOptions prefix;
  bool disable_cors = false;
  // How long a client may take to read an answer, see TimedResponse.
  Nanoseconds answer_timeout = std::chrono::minutes(2);
};

// Adds handlers to a server, which it borrows; all of it happens before the server starts, and the
// object may go then.
class ApiRoutes {
 public:
  // An error becomes the answer; nothing may have been written then. Errors of ours (5xx) are
  // logged.
  using Handler = std::function<Status(const Context&, const HttpRequest&, HttpResponse&)>;

  ApiRoutes(HttpServer& server, ApiRoutesOptions options, Logger logger);

  // `path` stands below the prefix of the routes; `name` is the label `handler` of the metrics.
  void Add(std::string_view method, std::string_view path, std::string_view name, Handler handler);
  // Answers OPTIONS for what matches `pattern`, below the prefix.
  void AddOptions(std::string_view pattern);

 private:
  struct Shared {
    ApiRoutesOptions options;
    Logger logger;
    void SetCorsHeaders(HttpResponse& response) const;
  };

  HttpServer& server_;
  const std::shared_ptr<const Shared> shared_;
};

}  // namespace aevum::net
