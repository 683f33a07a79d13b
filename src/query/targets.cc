#include "query/targets.h"

#include <algorithm>
#include <compare>
#include <tuple>

namespace aevum::query {
namespace {

std::strong_ordering Compare(const wire::ActiveTarget& a, const wire::ActiveTarget& b) {
  return std::tie(a.scrape_url, a.scrape_pool, a.discovered_labels, a.labels) <=>
         std::tie(b.scrape_url, b.scrape_pool, b.discovered_labels, b.labels);
}

// Of the same target.
bool IsBetter(const wire::ActiveTarget& candidate, const wire::ActiveTarget& kept) {
  if (candidate.health != kept.health) return candidate.health < kept.health;
  return candidate.last_scrape > kept.last_scrape;
}

void Remove(const std::vector<std::string>& names, model::Labels* labels) {
  model::LabelsBuilder builder(*labels);
  for (const std::string& name : names) builder.Remove(name);
  *labels = builder.Build();
}

void DeduplicateActive(const std::vector<std::string>& replica_labels,
                       std::vector<wire::ActiveTarget>* targets) {
  for (wire::ActiveTarget& target : *targets) {
    Remove(replica_labels, &target.discovered_labels);
    Remove(replica_labels, &target.labels);
  }
  std::stable_sort(targets->begin(), targets->end(),
                   [](const auto& a, const auto& b) { return Compare(a, b) < 0; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < targets->size(); ++i) {
    wire::ActiveTarget& target = (*targets)[i];
    if (Compare((*targets)[kept], target) != 0)
      ++kept;
    else if (!IsBetter(target, (*targets)[kept]))
      continue;
    if (kept != i) (*targets)[kept] = std::move(target);
  }
  if (!targets->empty()) targets->resize(kept + 1);
}

// Bytes of heap that targets take, roughly.
std::int64_t MemoryOf(const wire::TargetDiscovery& targets) {
  std::size_t bytes = 0;
  for (const wire::ActiveTarget& target : targets.active) {
    bytes += sizeof target + target.discovered_labels.memory_bytes() +
             target.labels.memory_bytes() + target.scrape_url.size() + target.global_url.size() +
             target.last_error.size();
  }
  for (const wire::DroppedTarget& target : targets.dropped)
    bytes += sizeof target + target.discovered_labels.memory_bytes();
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

StatusOr<TargetsAnswer> Targets::Collect(const Context& context,
                                         const wire::TargetsRequest& request) const {
  TargetsAnswer answer;
  MemoryCharge charge(context.budget());
  Status over_budget;
  const auto take = [&](const ServiceEndpoint&, std::string_view message) -> Status {
    ASSIGN_OR_RETURN(wire::TargetsResponse response, wire::DecodeTargetsResponse(message));
    if (!response.warning.empty()) answer.warnings.push_back(std::move(response.warning));
    if (!response.targets || !over_budget.ok()) return OkStatus();
    over_budget = charge.Add(MemoryOf(*response.targets), "targets");
    if (!over_budget.ok()) return OkStatus();
    std::move(response.targets->active.begin(), response.targets->active.end(),
              std::back_inserter(answer.targets.active));
    std::move(response.targets->dropped.begin(), response.targets->dropped.end(),
              std::back_inserter(answer.targets.dropped));
    return OkStatus();
  };
  RETURN_IF_ERROR(
      fan_out_.Ask(context,
                   {.path = "/thanos.Targets/Targets",
                    .what = "targets",
                    .span = "proxy_targets",
                    .request = wire::Encode(request),
                    .partial_response = request.partial_response,
                    .offered = [](const wire::InfoResponse& info) { return info.targets; }},
                   take, &answer.warnings));
  RETURN_IF_ERROR(over_budget);
  NormaliseWarnings(&answer.warnings);
  return answer;
}

StatusOr<TargetsAnswer> Targets::Ask(const Context& context,
                                     const wire::TargetsRequest& request) const {
  auto answer = Collect(context, request);
  if (!answer.ok()) return Annotate(answer.status(), "proxy Targets");
  DeduplicateTargets(replica_labels_, &answer->targets);
  return answer;
}

void DeduplicateTargets(const std::vector<std::string>& replica_labels,
                        wire::TargetDiscovery* targets) {
  DeduplicateActive(replica_labels, &targets->active);
  std::vector<wire::DroppedTarget>& dropped = targets->dropped;
  for (wire::DroppedTarget& target : dropped) Remove(replica_labels, &target.discovered_labels);
  const auto labels = &wire::DroppedTarget::discovered_labels;
  std::ranges::sort(dropped, {}, labels);
  const auto rest = std::ranges::unique(dropped, {}, labels);
  dropped.erase(rest.begin(), rest.end());
}

}  // namespace aevum::query
