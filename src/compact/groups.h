// The blocks of a bucket in groups, of which each is compacted by itself.
#pragma once

#include <string>
#include <vector>

#include "compact/workplace.h"
#include "compaction/planner.h"

namespace aevum::compact {

// Blocks of equal external labels and resolution, sorted by min time.
struct Group {
  std::string key;  // block::Meta::GroupKey
  std::int64_t resolution_ms = 0;
  std::vector<MetaPointer> blocks;
};

// The group with the newest block first. Blocks without external labels are in none: nobody can say
// whose they are.
std::vector<Group> MakeGroups(const block::MetaMap& blocks);

// Compactions that lie ahead of a group, when each goes well.
struct Todo {
  std::size_t compactions = 0;
  std::size_t blocks = 0;
};
Todo CountCompactions(Group group, const compaction::PlanOptions& options);

// The options of the planner that the flags and the marks of a view say.
compaction::PlanOptions PlanOptionsOf(const CompactorOptions& options, const BlockView& view);

}  // namespace aevum::compact
