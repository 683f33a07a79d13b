#include "cli/web_flags.h"

#include "base/clock.h"
#include "cli/version.h"
#include "net/api/status.h"

namespace aevum::cli {

void WebFlags::Add(FlagSet& flags) {
  flags.Group("Web");
  if (routes_ == Routes::kPrefixed) {
    flags.String({"web.route-prefix",
                  "Prefix of the paths of the API; empty: that of --web.external-prefix.", "PATH"},
                 &route_prefix_);
  }
  flags.String({"web.external-prefix",
                "Prefix under which a reverse proxy shows this server, for redirects.", "PATH"},
               &external_prefix_);
  flags.String({"web.prefix-header",
                "Header in which a reverse proxy says that prefix, for redirects; "
                "--web.external-prefix goes before it.",
                "HEADER"},
               &header_);
  flags.Bool({"web.disable-cors", "Send no CORS headers."}, &disable_cors_);
}

StatusOr<net::ApiRoutesOptions> WebFlags::Read() const {
  net::ApiRoutesOptions options;
  options.disable_cors = disable_cors_;
  options.prefix.header = header_;
  auto external = net::CleanPrefix(external_prefix_);
  if (!external.ok()) return Annotate(external.status(), "--web.external-prefix");
  options.prefix.external = *std::move(external);
  if (routes_ == Routes::kAtRoot) return options;
  auto route = net::CleanPrefix(route_prefix_.empty() ? external_prefix_ : route_prefix_);
  if (!route.ok()) return Annotate(route.status(), "--web.route-prefix");
  options.prefix.route = *std::move(route);
  return options;
}

void AddComponentRoutes(net::ApiRoutes& routes,
                        std::vector<std::pair<std::string, std::string>> flags) {
  net::AddStatusRoutes(routes, {.flags = std::move(flags),
                                .version = std::string(kVersion),
                                .revision = std::string(kRevision),
                                .started_ms = Clock::System().NowMs()});
  routes.AddOptions("/api/v1/{path...}");
}

}  // namespace aevum::cli
