#include "compact/group_compaction.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include "block/marks.h"

namespace aevum::compact {
namespace {

// An error that says what is wrong with a block, and not with the way to it.
bool IsDamage(const Status& status) {
  switch (status.code()) {
    case StatusCode::kDataLoss:
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
    case StatusCode::kNotFound:
    case StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

// Whether one block has all sources of another: then one of them would count as a duplicate.
bool HaveDuplicates(const std::vector<compaction::MergedBlock>& blocks) {
  for (const auto& a : blocks) {
    const std::set<model::Ulid> sources(a.meta.compaction.sources.begin(),
                                        a.meta.compaction.sources.end());
    for (const auto& b : blocks) {
      if (&a != &b && std::ranges::all_of(b.meta.compaction.sources, [&](const auto& source) {
            return sources.contains(source);
          }))
        return true;
    }
  }
  return false;
}

// What tombstones say. Those that ask for a replica label are left to the store gateway: a merge
// does not see these labels any more, and would delete nothing or the samples of all replicas.
std::vector<compaction::Deletion> DeletionsOf(const CompactorOptions& options,
                                              const BlockView& view) {
  std::vector<compaction::Deletion> deletions;
  for (const auto& [id, tombstone] : *view.tombstones) {
    const bool of_a_replica =
        std::ranges::any_of(tombstone->matchers, [&](const model::Matcher& matcher) {
          return std::ranges::find(options.replica_labels, matcher.name()) !=
                 options.replica_labels.end();
        });
    if (of_a_replica) continue;
    deletions.push_back({.matchers = tombstone->matchers,
                         .min_time = tombstone->min_time,
                         .max_time = tombstone->max_time});
  }
  return deletions;
}

}  // namespace

GroupCompaction::GroupCompaction(Workplace& place, Group group, const BlockView& view, Lease& lease)
    : place_(place),
      group_(std::move(group)),
      plan_options_(PlanOptionsOf(place.options, view)),
      replicas_(view.replicas),
      deletions_(DeletionsOf(place.options, view)),
      fenced_(std::make_shared<FencedBucket>(place.bucket, lease)),
      logger_(place.logger.With("group", group_.key)) {}

StatusOr<std::size_t> GroupCompaction::Run(const Context& context) {
  std::size_t done = 0;
  while (true) {
    RETURN_IF_ERROR(context.status());
    ASSIGN_OR_RETURN(const Blocks plan, Plan(context));
    if (plan.empty()) return done;
    const Status status = Compact(context, plan);
    if (status.ok()) {
      ++done;
      continue;
    }
    place_.metrics.Of(group_.resolution_ms).failures.Increment();
    if (!context.status().ok() || !IsDamage(status)) return status;
    RETURN_IF_ERROR(HandleDamage(context, plan, status));
  }
}

StatusOr<GroupCompaction::Blocks> GroupCompaction::Plan(const Context& context) {
  while (true) {
    Blocks too_large;
    const auto size_of = [&](const block::Meta& meta) { return IndexSize(context, meta); };
    StatusOr<Blocks> plan = compaction::PlanWithinIndexSize(
        group_.blocks, place_.options.max_index_bytes, size_of, plan_options_, &too_large);
    for (const MetaPointer& meta : too_large) {
      RETURN_IF_ERROR(SetAside(context, *meta, block::kReasonIndexSize,
                               ResourceExhausted("its index would make one of more than {} bytes",
                                                 place_.options.max_index_bytes)));
    }
    if (plan.status().code() == StatusCode::kDataLoss) {
      RETURN_IF_ERROR(HandleDamage(context, group_.blocks, plan.status()));
      continue;
    }
    RETURN_IF_ERROR(plan.status());
    if (!compaction::HaveOverlap(*plan)) return plan;
    const bool downsampled = group_.resolution_ms > 0;
    if (place_.options.vertical && !downsampled) return plan;
    const std::string_view reason =
        place_.options.vertical ? block::kReasonVerticalDownsampled : std::string_view();
    for (const MetaPointer& meta : *plan) {
      RETURN_IF_ERROR(SetAside(
          context, *meta, reason,
          MakeError(
              StatusCode::kFailedPrecondition,
              place_.options.vertical
                  ? "it overlaps another, and downsampled blocks are not merged so"
                  : "it overlaps another; --compact.enable-vertical-compaction merges them")));
    }
  }
}

StatusOr<std::int64_t> GroupCompaction::IndexSize(const Context& context, const block::Meta& meta) {
  for (const block::BlockFile& file : meta.files) {
    if (file.path == block::kIndexFile && file.size_bytes > 0) return file.size_bytes;
  }
  const auto attributes =
      place_.bucket->Attributes(context, block::ObjectName(meta.ulid, block::kIndexFile));
  if (objstore::IsNotFound(attributes.status()))
    return Corruption("block {} has no index", meta.ulid.ToString());
  RETURN_IF_ERROR(attributes.status());
  return attributes->size_bytes;
}

Status GroupCompaction::Compact(const Context& context, const Blocks& plan) {
  const std::uint64_t size = SizeOf(plan);
  StatusOr<ScratchSpace::Reservation> reserved = place_.scratch.Reserve(context, size);
  RETURN_IF_ERROR(reserved.status());
  place_.metrics.scratch_bytes.Set(static_cast<double>(place_.scratch.used_bytes()));
  const ScratchDirectory directory(place_.options.data_dir + "/compact/" + group_.key);
  RETURN_IF_ERROR(directory.Create());
  const bool vertical = compaction::HaveOverlap(plan);
  logger_.Info("compacting blocks", {{"blocks", plan.size()},
                                     {"first", plan.front()->ulid.ToString()},
                                     {"from", plan.front()->min_time},
                                     {"to", plan.back()->max_time},
                                     {"vertical", vertical}});
  ASSIGN_OR_RETURN(const compaction::MergeResult result, Merge(context, plan, directory.path()));
  RETURN_IF_ERROR(Publish(context, plan, result));
  CompactMetrics::OfResolution metrics = place_.metrics.Of(group_.resolution_ms);
  metrics.compactions.Increment();
  if (vertical) metrics.vertical_compactions.Increment();
  return OkStatus();
}

StatusOr<compaction::MergeResult> GroupCompaction::Merge(const Context& context, const Blocks& plan,
                                                         const std::string& directory) {
  std::vector<compaction::MergeInput> inputs;
  for (const MetaPointer& meta : plan) {
    const auto replica = replicas_->find(meta->ulid);
    inputs.push_back(
        {.meta = *meta,
         .place = {.bucket = place_.bucket.get(), .block = meta->ulid, .directory = ""},
         .replica = replica == replicas_->end() ? "" : replica->second});
  }
  compaction::MergeOptions options;
  options.function = place_.options.function;
  options.deletions = deletions_;
  options.max_index_bytes = static_cast<std::uint64_t>(place_.options.max_index_bytes);
  options.progress = place_.CountChunkBytes();
  options.clock = &place_.clock;
  auto result = place_.work.merge(context, std::move(inputs), options, directory);
  if (result.ok() && result->repairs.any() > 0) {
    logger_.Warn("blocks were mended in passing",
                 {{"duplicate_chunks", result->repairs.duplicate_chunks},
                  {"out_of_order_chunks", result->repairs.out_of_order_chunks},
                  {"unsorted_series", result->repairs.unsorted_series}});
  }
  return result;
}

Status GroupCompaction::Publish(const Context& context, const Blocks& plan,
                                const compaction::MergeResult& result) {
  if (result.blocks.empty()) return PublishNothing(context, plan);
  if (HaveDuplicates(result.blocks)) {
    // Readers would take the parts for copies of one another.
    const auto largest = std::ranges::max_element(
        plan, {}, [](const MetaPointer& meta) { return meta->stats.series; });
    return SetAside(context, **largest, block::kReasonIndexSize,
                    ResourceExhausted("merged with its neighbours its index is too large"));
  }
  // A block that was uploaded stays whatever follows: another worker may have seen it, and count
  // the sources as its duplicates.
  for (const compaction::MergedBlock& merged : result.blocks) {
    RETURN_IF_ERROR(place_.Upload(context, *fenced_, merged.directory, merged.meta));
    logger_.Info("uploaded a compacted block", {{"block", merged.meta.ulid.ToString()},
                                                {"level", merged.meta.compaction.level},
                                                {"samples", merged.meta.stats.samples}});
  }
  for (const MetaPointer& meta : plan) {
    RETURN_IF_ERROR(place_.Mark(context, *fenced_, block::MarkKind::kDeletion, meta->ulid, "",
                                kDetailsOfSource));
    place_.problems.Resolve(meta->ulid.ToString());
  }
  Replace(plan, result.blocks);
  return OkStatus();
}

Status GroupCompaction::PublishNothing(const Context& context, const Blocks& plan) {
  for (const MetaPointer& meta : plan) {
    if (meta->stats.samples == 0) {
      RETURN_IF_ERROR(place_.Mark(context, *fenced_, block::MarkKind::kDeletion, meta->ulid, "",
                                  kDetailsOfSource));
      continue;
    }
    RETURN_IF_ERROR(SetAside(
        context, *meta, kReasonDamaged,
        Corruption("its meta.json tells of {} samples, and there are none", meta->stats.samples)));
  }
  Replace(plan, {});
  return OkStatus();
}

Status GroupCompaction::SetAside(const Context& context, const block::Meta& meta,
                                 std::string_view reason, const Status& why) {
  plan_options_.no_compact.insert(meta.ulid);
  place_.problems.Report(meta.ulid.ToString(), why);
  // What the contract has a mark for is no error even to those who want to be stopped.
  const bool contract =
      reason == block::kReasonIndexSize || reason == block::kReasonVerticalDownsampled;
  if (place_.options.halt_on_error && !contract)
    return Annotate(why, "block " + meta.ulid.ToString());
  if (reason.empty()) return OkStatus();
  return place_.Mark(context, *fenced_, block::MarkKind::kNoCompact, meta.ulid, reason,
                     why.message());
}

Status GroupCompaction::HandleDamage(const Context& context, const Blocks& plan,
                                     const Status& damage) {
  for (const MetaPointer& meta : plan) {
    if (std::string_view(damage.message()).find(meta->ulid.ToString()) == std::string_view::npos)
      continue;
    // A block that somebody has deleted meanwhile gets no mark, which would be all that is there.
    ASSIGN_OR_RETURN(
        const bool exists,
        place_.bucket->Exists(context, block::ObjectName(meta->ulid, block::kMetaFile)));
    const bool certain =
        exists && (damage.code() == StatusCode::kDataLoss || objstore::IsNotFound(damage));
    return SetAside(context, *meta, certain ? kReasonDamaged : "", damage);
  }
  // Nobody knows which it is: they stay as they are, without a mark, and are tried again.
  for (const MetaPointer& meta : plan) RETURN_IF_ERROR(SetAside(context, *meta, "", damage));
  return OkStatus();
}

void GroupCompaction::Replace(const Blocks& sources,
                              const std::vector<compaction::MergedBlock>& results) {
  for (const MetaPointer& meta : sources) std::erase(group_.blocks, meta);
  for (const compaction::MergedBlock& merged : results)
    group_.blocks.push_back(std::make_shared<const block::Meta>(merged.meta));
  std::ranges::sort(group_.blocks, [](const MetaPointer& a, const MetaPointer& b) {
    return a->min_time != b->min_time ? a->min_time < b->min_time : a->ulid < b->ulid;
  });
}

}  // namespace aevum::compact
