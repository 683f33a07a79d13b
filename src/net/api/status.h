// What every component with an API tells of itself: build, flags, runtime.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/api/routes.h"

namespace aevum::net {

struct ComponentStatus {
  std::vector<std::pair<std::string, std::string>> flags;  // names with the values that hold
  std::string version;
  std::string revision;
  TimestampMs started_ms = 0;
};

// Adds /api/v1/status/buildinfo, /flags and /runtimeinfo. The flags of a bucket's configuration,
// which holds secrets, are shown as "<REDACTED>".
void AddStatusRoutes(ApiRoutes& routes, ComponentStatus status);

}  // namespace aevum::net
