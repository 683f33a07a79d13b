// The flags of every component that has an API for browsers: prefixes and CORS.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cli/flags.h"
#include "net/api/routes.h"

namespace aevum::cli {

// The group "Web" of the contract.
class WebFlags {
 public:
  // Whether the paths of the API can be moved below a prefix: not those of the store gateway.
  enum class Routes : std::uint8_t { kPrefixed, kAtRoot };

  explicit WebFlags(Routes routes) : routes_(routes) {}
  void Add(FlagSet& flags);
  // The options out of the flags. InvalidArgument names the flag.
  StatusOr<net::ApiRoutesOptions> Read() const;

 private:
  const Routes routes_;
  std::string route_prefix_, external_prefix_, header_;
  bool disable_cors_ = false;
};

// Adds what every component with an API tells of itself, and the answers to OPTIONS. `flags` are
// those of FlagSet::Values.
void AddComponentRoutes(net::ApiRoutes& routes,
                        std::vector<std::pair<std::string, std::string>> flags);

}  // namespace aevum::cli
