#include "compaction/planner.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace aevum::compaction {
namespace {

using Blocks = std::vector<MetaPointer>;
using BlockSpan = std::span<const MetaPointer>;

// Of a block, tombstones to series, from which on it is written again without what was deleted.
constexpr double kManyTombstones = 0.05;
// What an index may grow by where it is merged.
constexpr double kIndexHeadroom = 0.85;

// The first run of blocks of which each overlaps one before it.
Blocks FirstOverlap(BlockSpan blocks) {
  Blocks overlap;
  TimestampMs end = std::numeric_limits<TimestampMs>::min();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i > 0 && blocks[i]->min_time < end) {
      if (overlap.empty()) overlap.push_back(blocks[i - 1]);
      overlap.push_back(blocks[i]);
    } else if (!overlap.empty()) {
      break;
    }
    end = std::max(end, blocks[i]->max_time);
  }
  return overlap;
}

// Where the range that a time lies in begins; ranges are aligned to multiples of their length.
TimestampMs RangeBegin(TimestampMs time, TimestampMs range) {
  const TimestampMs remainder = time % range;
  const TimestampMs back = remainder < 0 ? remainder + range : remainder;
  // A range that would begin before all times begins with them.
  return time < std::numeric_limits<TimestampMs>::min() + back
             ? std::numeric_limits<TimestampMs>::min()
             : time - back;
}

// Whether a block, of a time of its range, lies inside the range.
bool EndsWithin(const block::Meta& meta, TimestampMs begin, TimestampMs range) {
  return meta.max_time <= begin ||
         static_cast<std::uint64_t>(meta.max_time) - static_cast<std::uint64_t>(begin) <=
             static_cast<std::uint64_t>(range);
}

// Blocks that lie inside one aligned range, range by range. Those that cross a boundary are in
// none.
std::vector<BlockSpan> SplitByRange(BlockSpan blocks, TimestampMs range) {
  std::vector<BlockSpan> parts;
  for (std::size_t i = 0; i < blocks.size();) {
    const TimestampMs begin = RangeBegin(blocks[i]->min_time, range);
    std::size_t end = i;
    while (end < blocks.size() && EndsWithin(*blocks[end], begin, range)) ++end;
    if (end == i) {
      ++i;
      continue;
    }
    parts.push_back(blocks.subspan(i, end - i));
    i = end;
  }
  return parts;
}

// The first blocks in a row, at least two, that may be merged.
BlockSpan FirstUnmarked(BlockSpan part, const std::set<model::Ulid>& no_compact) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= part.size(); ++i) {
    if (i < part.size() && !no_compact.contains(part[i]->ulid)) continue;
    if (i - begin > 1) return part.subspan(begin, i - begin);
    begin = i + 1;
  }
  return {};
}

// Whether all of the range is there, or nothing can come any more.
bool IsRipe(BlockSpan part, TimestampMs range, TimestampMs newest) {
  const TimestampMs end = part.back()->max_time;
  const auto length =
      static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(part.front()->min_time);
  return length == static_cast<std::uint64_t>(range) || end <= newest;
}

BlockSpan FillRange(BlockSpan blocks, const PlanOptions& options) {
  if (options.ranges.size() < 2 || blocks.empty()) return {};
  const TimestampMs newest = blocks.back()->min_time;
  for (const TimestampMs range : options.ranges.subspan(1)) {
    for (const BlockSpan part : SplitByRange(blocks, range)) {
      const bool failed =
          std::ranges::any_of(part, [](const auto& meta) { return meta->compaction.failed; });
      if (failed || part.size() < 2 || !IsRipe(part, range, newest)) continue;
      const BlockSpan found = FirstUnmarked(part, options.no_compact);
      if (!found.empty()) return found;
    }
  }
  return {};
}

// The newest block of which much is deleted, among those of at least the middle length.
Blocks MuchDeleted(BlockSpan blocks, std::span<const TimestampMs> ranges) {
  if (ranges.empty()) return {};
  for (std::size_t i = blocks.size(); i-- > 0;) {
    const block::Meta& meta = *blocks[i];
    if (meta.max_time - meta.min_time < ranges[ranges.size() / 2]) break;
    const double part =
        static_cast<double>(meta.stats.tombstones) / (static_cast<double>(meta.stats.series) + 1);
    if (part > kManyTombstones) return {blocks[i]};
  }
  return {};
}

}  // namespace

bool HaveOverlap(BlockSpan blocks) { return !FirstOverlap(blocks).empty(); }

Blocks PlanCompaction(BlockSpan group, const PlanOptions& options) {
  if (group.empty()) return {};
  Blocks unmarked;
  for (const MetaPointer& meta : group)
    if (!options.no_compact.contains(meta->ulid)) unmarked.push_back(meta);
  Blocks overlap = FirstOverlap(unmarked);
  if (!overlap.empty()) return overlap;

  // The newest block was uploaded a moment ago: more of its range may come.
  const MetaPointer& newest = group.back();
  if (!options.no_compact.contains(newest->ulid)) unmarked.pop_back();
  const BlockSpan filled = FillRange(group.first(group.size() - 1), options);
  if (!filled.empty()) return Blocks(filled.begin(), filled.end());
  return MuchDeleted(unmarked, options.ranges);
}

StatusOr<Blocks> PlanWithinIndexSize(BlockSpan group, std::int64_t max_index_bytes,
                                     const IndexSize& size_of, PlanOptions options,
                                     Blocks* left_out) {
  const double limit = static_cast<double>(max_index_bytes) * kIndexHeadroom;
  for (;;) {
    Blocks plan = PlanCompaction(group, options);
    std::int64_t largest = std::numeric_limits<std::int64_t>::min();
    const MetaPointer* largest_block = nullptr;
    double sum = 0;
    bool fits = true;
    for (const MetaPointer& meta : plan) {
      ASSIGN_OR_RETURN(const std::int64_t size, size_of(*meta));
      if (size > largest) {
        largest = size;
        largest_block = &meta;
      }
      sum += static_cast<double>(size);
      fits = sum < static_cast<double>(static_cast<std::int64_t>(limit));
      if (!fits) break;
    }
    if (fits) return plan;
    options.no_compact.insert((*largest_block)->ulid);
    left_out->push_back(*largest_block);
  }
}

}  // namespace aevum::compaction
