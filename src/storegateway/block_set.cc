#include "storegateway/block_set.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "block/filters.h"
#include "store/external_labels.h"
#include "storegateway/block_choice.h"

namespace aevum::storegateway {

BlockSet::BlockSet(std::vector<std::shared_ptr<BucketBlock>> blocks) : blocks_(std::move(blocks)) {
  std::map<model::Labels, std::vector<std::shared_ptr<BucketBlock>>> by_labels;
  for (const auto& block : blocks_) by_labels[block->labels()].push_back(block);
  for (auto& [labels, of_group] : by_labels) {
    wire::TsdbInfo info{labels, INT64_MAX, INT64_MIN};
    for (const auto& block : of_group) {
      info.min_time = std::min(info.min_time, block->meta().min_time);
      info.max_time = std::max(info.max_time, block->meta().max_time);
    }
    streams_.push_back(std::move(info));
    groups_.push_back({labels, std::move(of_group)});
  }
}

namespace {

bool IsSelected(const BucketBlock& block, const model::Matchers& matchers) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const model::Matcher& matcher) {
    return matcher.name() == block::kBlockIdLabel ? matcher.Matches(block.id())
                                                  : matcher.Matches(block.labels());
  });
}

}  // namespace

std::vector<ChosenBlock> BlockSet::Choose(const Selection& selection, TimestampMs min_time,
                                          TimestampMs max_time,
                                          std::int64_t max_resolution_ms) const {
  std::vector<ChosenBlock> chosen;
  for (const Group& group : groups_) {
    std::optional<model::Matchers> left =
        store::MatchExternalLabels(selection.matchers, group.labels);
    if (!left) continue;
    std::vector<std::shared_ptr<BucketBlock>> blocks;
    std::vector<BlockTimes> times;
    for (const auto& block : group.blocks) {
      if (!IsSelected(*block, selection.block_matchers)) continue;
      blocks.push_back(block);
      const block::Meta& meta = block->meta();
      times.push_back({meta.min_time, meta.max_time, meta.resolution_ms});
    }
    for (const std::size_t i : ChooseBlocks(times, min_time, max_time, max_resolution_ms))
      chosen.push_back({blocks[i], *left});
  }
  return chosen;
}

std::vector<ChosenBlock> BlockSet::ChooseAll(const Selection& selection, TimestampMs min_time,
                                             TimestampMs max_time) const {
  std::vector<ChosenBlock> chosen;
  for (const Group& group : groups_) {
    const std::optional<model::Matchers> left =
        store::MatchExternalLabels(selection.matchers, group.labels);
    if (!left) continue;
    for (const auto& block : group.blocks) {
      if (block->meta().min_time <= max_time && block->meta().max_time > min_time &&
          IsSelected(*block, selection.block_matchers))
        chosen.push_back({block, *left});
    }
  }
  return chosen;
}

}  // namespace aevum::storegateway
