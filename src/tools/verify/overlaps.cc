#include "tools/verify/overlaps.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/show.h"

namespace aevum::tools {
namespace {

using MetaPtr = std::shared_ptr<const block::Meta>;

Overlap MakeOverlap(std::vector<MetaPtr> blocks) {
  Overlap overlap{.min_time = INT64_MIN, .max_time = INT64_MAX, .blocks = std::move(blocks)};
  for (const MetaPtr& meta : overlap.blocks) {
    overlap.min_time = std::max(overlap.min_time, meta->min_time);
    overlap.max_time = std::min(overlap.max_time, meta->max_time);
  }
  return overlap;
}

// Walks over the beginnings of the blocks. A set of open blocks is an overlap once the first of it
// ends; until then it may still grow.
std::vector<Overlap> OverlapsOf(std::vector<MetaPtr> blocks) {
  std::sort(blocks.begin(), blocks.end(), [](const MetaPtr& a, const MetaPtr& b) {
    return a->min_time != b->min_time ? a->min_time < b->min_time : a->ulid < b->ulid;
  });
  std::vector<Overlap> overlaps;
  std::vector<MetaPtr> open;
  bool grew = false;  // since the last one was noted
  const auto note = [&] {
    if (grew && open.size() > 1) overlaps.push_back(MakeOverlap(open));
    grew = false;
  };
  for (const MetaPtr& meta : blocks) {
    const auto ended = [&](const MetaPtr& other) { return other->max_time <= meta->min_time; };
    if (std::any_of(open.begin(), open.end(), ended)) {
      note();
      std::erase_if(open, ended);
    }
    open.push_back(meta);
    grew = true;
  }
  note();
  return overlaps;
}

}  // namespace

std::map<std::string, std::vector<Overlap>> FindOverlaps(const block::MetaMap& metas) {
  std::map<std::string, std::vector<MetaPtr>> groups;
  for (const auto& [ulid, meta] : metas) groups[meta->GroupKey()].push_back(meta);
  std::map<std::string, std::vector<Overlap>> found;
  for (auto& [key, blocks] : groups) {
    std::vector<Overlap> overlaps = OverlapsOf(std::move(blocks));
    if (!overlaps.empty()) found[key] = std::move(overlaps);
  }
  return found;
}

std::string ShowBlockTimes(const block::Meta& meta) {
  return fmt::format("<ulid: {}, mint: {}, maxt: {}, range: {}>", meta.ulid.ToString(),
                     meta.min_time, meta.max_time, ShowSpan(meta.min_time, meta.max_time));
}

std::string ShowOverlap(const Overlap& overlap) {
  std::vector<std::string> blocks;
  for (const MetaPtr& meta : overlap.blocks) blocks.push_back(ShowBlockTimes(*meta));
  return fmt::format("[mint: {}, maxt: {}, range: {}, blocks: {}]: {}", overlap.min_time,
                     overlap.max_time, ShowSpan(overlap.min_time, overlap.max_time), blocks.size(),
                     fmt::join(blocks, ", "));
}

}  // namespace aevum::tools
