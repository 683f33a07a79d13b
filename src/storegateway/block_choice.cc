#include "storegateway/block_choice.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace aevum::storegateway {
namespace {

// Blocks of each resolution in order of time, the coarsest resolution first.
using ByResolution = std::map<std::int64_t, std::vector<std::size_t>, std::greater<>>;

class Chooser {
 public:
  Chooser(std::span<const BlockTimes> blocks, ByResolution::const_iterator end)
      : blocks_(blocks), end_(end) {}

  // [from, to], of this resolution and the finer ones behind it.
  void Choose(ByResolution::const_iterator resolution, TimestampMs from, TimestampMs to) {
    if (from > to || resolution == end_) return;
    const auto finer = std::next(resolution);
    TimestampMs covered = from;  // up to here, exclusive
    for (const std::size_t i : resolution->second) {
      const BlockTimes& block = blocks_[i];
      if (block.max_time <= from) continue;
      if (block.min_time > to) break;
      if (block.min_time > covered) Choose(finer, covered, block.min_time - 1);
      chosen.push_back(i);
      covered = std::max(covered, block.max_time);
    }
    Choose(finer, covered, to);
  }

  std::vector<std::size_t> chosen;

 private:
  std::span<const BlockTimes> blocks_;
  const ByResolution::const_iterator end_;
};

}  // namespace

std::vector<std::size_t> ChooseBlocks(std::span<const BlockTimes> blocks, TimestampMs min_time,
                                      TimestampMs max_time, std::int64_t max_resolution_ms) {
  ByResolution by_resolution;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i].resolution_ms <= max_resolution_ms)
      by_resolution[blocks[i].resolution_ms].push_back(i);
  }
  for (auto& [resolution, positions] : by_resolution) {
    std::sort(positions.begin(), positions.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(blocks[a].min_time, blocks[a].max_time) <
             std::pair(blocks[b].min_time, blocks[b].max_time);
    });
  }
  Chooser chooser(blocks, by_resolution.end());
  chooser.Choose(by_resolution.begin(), min_time, max_time);
  // A fine block that reaches over a gap on both sides is met more than once.
  std::sort(chooser.chosen.begin(), chooser.chosen.end());
  chooser.chosen.erase(std::unique(chooser.chosen.begin(), chooser.chosen.end()),
                       chooser.chosen.end());
  return std::move(chooser.chosen);
}

}  // namespace aevum::storegateway
