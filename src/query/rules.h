// The rules of all endpoints as one list.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "query/fan_out.h"
#include "wire/rules_api.h"

namespace aevum::query {

struct RulesAnswer {
  std::vector<wire::RuleGroup> groups;
  std::vector<std::string> warnings;  // sorted, each once
};

// Borrows the fan-out. Thread-safe.
class Rules {
 public:
  Rules(FanOut& fan_out, std::vector<std::string> replica_labels)
      : fan_out_(fan_out), replica_labels_(std::move(replica_labels)) {}

  // The groups as they come, neither filtered nor merged: what thanos.Rules of a querier answers,
  // whose client does both. Errors are those of the fan-out.
  StatusOr<RulesAnswer> Collect(const Context& context, const wire::RulesRequest& request) const;

  // Filtered, merged and deduplicated. InvalidArgument for a matcher that is none.
  StatusOr<RulesAnswer> Ask(const Context& context, const wire::RulesRequest& request) const;

 private:
  FanOut& fan_out_;
  const std::vector<std::string> replica_labels_;
};

// Leaves the rules that satisfy all matchers, in groups and with names that the request lists. A
// label whose value is a template has no value that a matcher could know: it counts as absent. Of a
// filtered answer, groups without rules are dropped. InvalidArgument for a matcher that is none.
Status FilterRules(const wire::RulesRequest& request, std::vector<wire::RuleGroup>* groups);

// Sorts groups by file and name and joins those that have the same: all but the rules is that of
// the first. In each group, rules that differ in replica labels alone become one, without these
// labels: the alert that is more critical, else the one that was evaluated last. Sorted: alerting
// rules first, then by name, labels, query and duration.
void DeduplicateRules(const std::vector<std::string>& replica_labels,
                      std::vector<wire::RuleGroup>* groups);

}  // namespace aevum::query
