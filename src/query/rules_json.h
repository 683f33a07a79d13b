// Rules, alerts and scrape targets as JSON, in the form of Prometheus with the fields of Thanos.
#pragma once

#include <vector>

#include "query/json_writer.h"
#include "wire/rules_api.h"
#include "wire/targets_api.h"

namespace aevum::query {

// {"groups":[...]}
void WriteRules(const std::vector<wire::RuleGroup>& groups, JsonWriter& writer);
// {"alerts":[...]}, or null in place of the list when there are none.
void WriteAlerts(const std::vector<wire::RuleGroup>& groups, JsonWriter& writer);
// {"activeTargets":[...],"droppedTargets":[...]}
void WriteTargets(const wire::TargetDiscovery& targets, JsonWriter& writer);

}  // namespace aevum::query
