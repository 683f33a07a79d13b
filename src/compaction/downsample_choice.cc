#include "compaction/downsample_choice.h"

#include <algorithm>

#include "compaction/downsample.h"

namespace aevum::compaction {
namespace {

using block::Meta;

// Whether a block is as long as that; its times may be anything.
bool IsAsLongAs(const Meta& meta, TimestampMs range) {
  return meta.max_time > meta.min_time &&
         static_cast<std::uint64_t>(meta.max_time) - static_cast<std::uint64_t>(meta.min_time) >=
             static_cast<std::uint64_t>(range);
}

bool HasSourceOutside(const Meta& meta, const std::set<model::Ulid>& covered) {
  return !std::all_of(meta.compaction.sources.begin(), meta.compaction.sources.end(),
                      [&](const model::Ulid& source) { return covered.contains(source); });
}

}  // namespace

std::vector<DownsampleTask> BlocksToDownsample(const block::MetaMap& metas,
                                               const std::set<model::Ulid>& no_downsample) {
  std::set<model::Ulid> sources_5m;
  std::set<model::Ulid> sources_1h;
  for (const auto& [id, meta] : metas) {
    const std::vector<model::Ulid>& sources = meta->compaction.sources;
    if (meta->resolution_ms == kResolution5m) sources_5m.insert(sources.begin(), sources.end());
    if (meta->resolution_ms == kResolution1h) sources_1h.insert(sources.begin(), sources.end());
  }
  std::vector<DownsampleTask> tasks;
  for (const auto& [id, meta] : metas) {
    if (no_downsample.contains(id)) continue;
    if (meta->resolution_ms == kResolutionRaw && IsAsLongAs(*meta, kDownsampleTo5mRange) &&
        HasSourceOutside(*meta, sources_5m)) {
      tasks.push_back({meta, kResolution5m});
    } else if (meta->resolution_ms == kResolution5m && IsAsLongAs(*meta, kDownsampleTo1hRange) &&
               HasSourceOutside(*meta, sources_1h)) {
      tasks.push_back({meta, kResolution1h});
    }
  }
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const DownsampleTask& a, const DownsampleTask& b) {
                     return a.meta->max_time > b.meta->max_time;
                   });
  return tasks;
}

}  // namespace aevum::compaction
