#include "compact/choices.h"

#include <algorithm>
#include <unordered_set>

#include "compaction/downsample.h"

namespace aevum::compact {
namespace {

using compaction::kResolution1h;
using compaction::kResolution5m;
using compaction::kResolutionRaw;

using Sources = std::unordered_set<model::Ulid, model::UlidHash>;

// What becomes of a block of a resolution: nothing when `resolution_ms` is 0.
struct Step {
  std::int64_t resolution_ms = 0;
  TimestampMs min_range = 0;
};

Step NextStep(std::int64_t resolution_ms) {
  if (resolution_ms == kResolutionRaw) return {kResolution5m, compaction::kDownsampleTo5mRange};
  if (resolution_ms == kResolution5m) return {kResolution1h, compaction::kDownsampleTo1hRange};
  return {};
}

// Of two times of hostile metas, too.
bool IsAtLeast(TimestampMs begin, TimestampMs end, TimestampMs range) {
  return end > begin && static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(begin) >=
                            static_cast<std::uint64_t>(range);
}

// The sources of all blocks of each resolution.
class Copies {
 public:
  explicit Copies(const block::MetaMap& blocks) {
    for (const auto& [ulid, meta] : blocks) {
      if (meta->resolution_ms != kResolution5m && meta->resolution_ms != kResolution1h) continue;
      Sources& sources = meta->resolution_ms == kResolution5m ? five_minutes_ : one_hour_;
      sources.insert(meta->compaction.sources.begin(), meta->compaction.sources.end());
    }
  }

  bool Hold(const block::Meta& meta, std::int64_t resolution_ms) const {
    const Sources& sources = resolution_ms == kResolution5m ? five_minutes_ : one_hour_;
    return std::ranges::all_of(meta.compaction.sources,
                               [&](const model::Ulid& source) { return sources.contains(source); });
  }

 private:
  Sources five_minutes_;
  Sources one_hour_;
};

// Whether a coarse copy of the block is still to be made.
bool IsDue(const block::Meta& meta, const Copies& copies,
           const std::set<model::Ulid>& no_downsample) {
  const Step step = NextStep(meta.resolution_ms);
  return step.resolution_ms != 0 && IsAtLeast(meta.min_time, meta.max_time, step.min_range) &&
         !no_downsample.contains(meta.ulid) && !copies.Hold(meta, step.resolution_ms);
}

bool IsPast(TimestampMs max_time, std::chrono::milliseconds retention, TimestampMs now) {
  return retention.count() > 0 && now > max_time && IsAtLeast(max_time, now, retention.count() + 1);
}

}  // namespace

bool IsKnownResolution(std::int64_t resolution_ms) {
  return resolution_ms == kResolutionRaw || resolution_ms == kResolution5m ||
         resolution_ms == kResolution1h;
}

std::vector<DownsampleTask> ChooseDownsampling(const block::MetaMap& blocks,
                                               const std::set<model::Ulid>& no_downsample) {
  const Copies copies(blocks);
  std::vector<DownsampleTask> tasks;
  for (const auto& [ulid, meta] : blocks) {
    if (IsDue(*meta, copies, no_downsample))
      tasks.push_back({meta, NextStep(meta->resolution_ms).resolution_ms});
  }
  std::ranges::stable_sort(tasks, [](const DownsampleTask& a, const DownsampleTask& b) {
    return a.block->max_time > b.block->max_time;
  });
  return tasks;
}

std::chrono::milliseconds Retention::Of(std::int64_t resolution_ms) const {
  if (resolution_ms == kResolutionRaw) return raw;
  if (resolution_ms == kResolution5m) return five_minutes;
  if (resolution_ms == kResolution1h) return one_hour;
  return std::chrono::milliseconds(0);  // of nobody we know: it stays
}

Expiry ChooseExpired(const block::MetaMap& blocks, const ExpiryOptions& options, TimestampMs now) {
  const Copies copies(blocks);
  Expiry expiry;
  for (const auto& [ulid, meta] : blocks) {
    if (!IsPast(meta->max_time, options.retention.Of(meta->resolution_ms), now)) continue;
    // A copy that would expire at once is not waited for.
    const std::chrono::milliseconds coarse =
        options.retention.Of(NextStep(meta->resolution_ms).resolution_ms);
    const bool waits = options.downsampling && IsDue(*meta, copies, options.no_downsample) &&
                       !IsPast(meta->max_time, coarse, now);
    (waits ? expiry.waiting : expiry.expired).push_back(meta);
  }
  return expiry;
}

}  // namespace aevum::compact
