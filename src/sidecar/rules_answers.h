// What Prometheus says of its rules and its scrape targets.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "wire/rules_api.h"
#include "wire/targets_api.h"

namespace aevum::sidecar {

// The bodies of /api/v1/rules and /api/v1/targets, without external labels. Unavailable when the
// body is not what Prometheus answers; the message names the field. Fields that a Prometheus is too
// old to tell are 0 or empty, a time that it does not tell is kUnsetTimestamp.
StatusOr<std::vector<wire::RuleGroup>> ParseRulesAnswer(std::string_view json);
StatusOr<wire::TargetDiscovery> ParseTargetsAnswer(std::string_view json);

}  // namespace aevum::sidecar
