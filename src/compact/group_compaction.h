// The compactions of one group, one after the other, until nothing is left to plan.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "compact/fenced_bucket.h"
#include "compact/groups.h"
#include "compact/workplace.h"

namespace aevum::compact {

// Why a block is not compacted, beside the reasons of the contract.
inline constexpr std::string_view kReasonDamaged = "block-damaged";
// Why a source of a compaction is deleted.
inline constexpr std::string_view kDetailsOfSource = "source of compacted block";

// Merges, uploads the result and then marks the sources for deletion. What is wrong with a block is
// found out, the block marked, and the others go on. Thread-compatible. Borrows all it is given.
class GroupCompaction {
 public:
  GroupCompaction(Workplace& place, Group group, const BlockView& view, Lease& lease);

  // Runs until there is no plan. The number of compactions; an error when the group had to be left
  // before that: the lease was lost, the bucket does not answer, the disk is full. With
  // --compact.halt-on-error also what is wrong with a block.
  StatusOr<std::size_t> Run(const Context& context);

 private:
  using Blocks = std::vector<MetaPointer>;

  // The next plan that can be carried out; marks what is in its way.
  StatusOr<Blocks> Plan(const Context& context);
  StatusOr<std::int64_t> IndexSize(const Context& context, const block::Meta& meta);
  Status Compact(const Context& context, const Blocks& plan);
  StatusOr<compaction::MergeResult> Merge(const Context& context, const Blocks& plan,
                                          const std::string& directory);
  Status Publish(const Context& context, const Blocks& plan, const compaction::MergeResult& result);
  Status PublishNothing(const Context& context, const Blocks& plan);
  // Leaves blocks out of plans from now on; the mark, if there is a reason, makes it last.
  Status SetAside(const Context& context, const block::Meta& meta, std::string_view reason,
                  const Status& why);
  // Finds the block that an error names and sets it aside.
  Status HandleDamage(const Context& context, const Blocks& plan, const Status& damage);
  void Replace(const Blocks& sources, const std::vector<compaction::MergedBlock>& results);

  Workplace& place_;
  Group group_;
  compaction::PlanOptions plan_options_;
  const std::shared_ptr<const ReplicaNotes::Replicas> replicas_;
  const std::vector<compaction::Deletion> deletions_;
  const std::shared_ptr<FencedBucket> fenced_;
  const Logger logger_;
};

}  // namespace aevum::compact
