// Blocks of one group that cover the same time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "block/meta.h"

namespace aevum::tools {

// Blocks that all cover [min_time, max_time); two at least, sorted by time, then ULID.
struct Overlap {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  std::vector<std::shared_ptr<const block::Meta>> blocks;
};

// The overlaps of each group that has one, by Meta::GroupKey. A set of blocks that is part of a
// larger overlap is not shown by itself.
std::map<std::string, std::vector<Overlap>> FindOverlaps(const block::MetaMap& metas);

// "[mint: 0, maxt: 5, range: 5ms, blocks: 2]: <ulid: ..., mint: 0, maxt: 5, range: 5ms>, <...>"
std::string ShowOverlap(const Overlap& overlap);
// "<ulid: ..., mint: 0, maxt: 5, range: 5ms>"
std::string ShowBlockTimes(const block::Meta& meta);

}  // namespace aevum::tools
