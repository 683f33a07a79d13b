#include "net/api/routes.h"

#include <utility>

#include "net/api/answer.h"

namespace aevum::net {

ApiRoutes::ApiRoutes(HttpServer& server, ApiRoutesOptions options, Logger logger)
    : server_(server),
      shared_(std::make_shared<const Shared>(Shared{std::move(options), std::move(logger)})) {}

void ApiRoutes::Shared::SetCorsHeaders(HttpResponse& response) const {
  if (options.disable_cors) return;
  response.SetHeader("Access-Control-Allow-Headers",
                     "Accept, Accept-Encoding, Authorization, Content-Type, Origin");
  response.SetHeader("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  response.SetHeader("Access-Control-Allow-Origin", "*");
  response.SetHeader("Access-Control-Expose-Headers", "Date");
}

void ApiRoutes::Add(std::string_view method, std::string_view path, std::string_view name,
                    Handler handler) {
  server_.Handle(method, shared_->options.prefix.route + std::string(path), name,
                 [shared = shared_, handler = std::move(handler)](
                     const Context& context, const HttpRequest& request, HttpResponse& connection) {
                   TimedResponse response(connection, shared->options.answer_timeout);
                   response.SetHeader("Content-Type", "application/json");
                   shared->SetCorsHeaders(response);
                   const Status status = handler(context, request, response);
                   if (status.ok()) return;
                   if (ToApiError(status.code()).http_status >= 500)
                     shared->logger.Error("api error", {{"err", status}});
                   WriteApiError(response, status);
                 });
}

void ApiRoutes::AddOptions(std::string_view pattern) {
  server_.Handle("OPTIONS", shared_->options.prefix.route + std::string(pattern), "options",
                 [shared = shared_](const Context&, const HttpRequest&, HttpResponse& response) {
                   shared->SetCorsHeaders(response);
                   response.SetStatus(204);
                 });
}

void ApiRoutes::AddRedirects(std::string_view home) {
  const WebPrefixOptions& prefix = shared_->options.prefix;
  const auto add = [&](const std::string& path, bool direct) {
    server_.Handle("GET", path, "",
                   [shared = shared_, direct, home = std::string(home)](
                       const Context&, const HttpRequest& request, HttpResponse& response) {
                     const WebPrefixOptions& seen = shared->options.prefix;
                     const std::string to = direct ? seen.route : WebPrefixFor(seen, request);
                     response.SetHeader("Location", to + home);
                     response.SetStatus(302);
                   });
  };
  if (!prefix.route.empty()) {
    add("/", true);
    add(prefix.route, false);
  }
  const bool moved = !prefix.route.empty() || !prefix.external.empty() || !prefix.header.empty();
  if (moved && home != "/") add(prefix.route + "/", false);
}

}  // namespace aevum::net
