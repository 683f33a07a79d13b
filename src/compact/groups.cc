#include "compact/groups.h"

#include <algorithm>
#include <map>
#include <utility>

namespace aevum::compact {
namespace {

// Each compaction leaves fewer blocks, but for one that drops what was deleted of a single block.
constexpr std::size_t kMaxTodo = 100'000;

bool IsEarlier(const MetaPointer& a, const MetaPointer& b) {
  return a->min_time != b->min_time ? a->min_time < b->min_time : a->ulid < b->ulid;
}

TimestampMs NewestTime(const Group& group) {
  TimestampMs newest = INT64_MIN;
  for (const MetaPointer& meta : group.blocks) newest = std::max(newest, meta->max_time);
  return newest;
}

}  // namespace

std::vector<Group> MakeGroups(const block::MetaMap& blocks) {
  std::map<std::string, Group> by_key;
  for (const auto& [ulid, meta] : blocks) {
    if (meta->ExternalLabels().empty()) continue;
    Group& group = by_key[meta->GroupKey()];
    group.resolution_ms = meta->resolution_ms;
    group.blocks.push_back(meta);
  }
  std::vector<Group> groups;
  for (auto& [key, group] : by_key) {
    group.key = key;
    std::ranges::sort(group.blocks, IsEarlier);
    groups.push_back(std::move(group));
  }
  std::ranges::stable_sort(
      groups, [](const Group& a, const Group& b) { return NewestTime(a) > NewestTime(b); });
  return groups;
}

Todo CountCompactions(Group group, const compaction::PlanOptions& options) {
  Todo todo;
  while (todo.compactions < kMaxTodo) {
    const std::vector<MetaPointer> plan = compaction::PlanCompaction(group.blocks, options);
    if (plan.empty()) break;
    ++todo.compactions;
    todo.blocks += plan.size();
    auto merged = std::make_shared<block::Meta>(*plan.front());
    merged->stats.tombstones = 0;
    for (const MetaPointer& meta : plan) {
      merged->max_time = std::max(merged->max_time, meta->max_time);
      std::erase(group.blocks, meta);
    }
    group.blocks.push_back(std::move(merged));
    std::ranges::sort(group.blocks, IsEarlier);
  }
  return todo;
}

compaction::PlanOptions PlanOptionsOf(const CompactorOptions& options, const BlockView& view) {
  return {.ranges = std::span(compaction::kLevelRanges).first(options.levels),
          .no_compact = view.no_compact};
}

}  // namespace aevum::compact
