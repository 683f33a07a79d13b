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

}  // namespace aevum::net
