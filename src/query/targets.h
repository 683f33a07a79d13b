// The scrape targets of all endpoints as one list.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "query/fan_out.h"
#include "wire/targets_api.h"

namespace aevum::query {

struct TargetsAnswer {
  wire::TargetDiscovery targets;
  std::vector<std::string> warnings;  // sorted, each once
};

// Borrows the fan-out. Thread-safe.
class Targets {
 public:
  Targets(FanOut& fan_out, std::vector<std::string> replica_labels)
      : fan_out_(fan_out), replica_labels_(std::move(replica_labels)) {}

  // The targets as they come, which is what thanos.Targets of a querier answers. Errors are those
  // of the fan-out.
  StatusOr<TargetsAnswer> Collect(const Context& context,
                                  const wire::TargetsRequest& request) const;
  // The same deduplicated.
  StatusOr<TargetsAnswer> Ask(const Context& context, const wire::TargetsRequest& request) const;

 private:
  FanOut& fan_out_;
  const std::vector<std::string> replica_labels_;
};

// Targets that differ in replica labels alone become one, without these labels: one that is down
// before one that is up before one that nobody knows, else the one that was scraped last. Sorted:
// by URL, pool, discovered labels and labels.
void DeduplicateTargets(const std::vector<std::string>& replica_labels,
                        wire::TargetDiscovery* targets);

}  // namespace aevum::query
