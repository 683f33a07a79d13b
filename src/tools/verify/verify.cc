#include "tools/verify/verify.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "block/marks.h"
#include "block/upload.h"
#include "tools/copy_block.h"
#include "tools/verify/block_check.h"
#include "tools/verify/overlaps.h"

namespace aevum::tools {
namespace {

// In the order in which they are looked for: the cheap ones that need no repair first.
constexpr std::array kIssues = {kOverlappedBlocks, kIndexKnownIssues, kDuplicatedCompaction};

using MetaPtr = std::shared_ptr<const block::Meta>;

// True when both came out of one compaction and hold the same. Blocks that name no sources can't be
// told to.
bool AreCopies(const block::Meta& a, const block::Meta& b) {
  const auto sorted = [](std::vector<model::Ulid> sources) {
    std::sort(sources.begin(), sources.end());
    return sources;
  };
  return !a.compaction.sources.empty() && a.min_time == b.min_time && a.max_time == b.max_time &&
         a.compaction.level == b.compaction.level && a.stats == b.stats &&
         sorted(a.compaction.sources) == sorted(b.compaction.sources);
}

std::string ShowBlocks(const std::vector<MetaPtr>& blocks) {
  std::vector<std::string> shown;
  for (const MetaPtr& meta : blocks) shown.push_back(ShowBlockTimes(*meta));
  return fmt::format("blocks: {}, [{}]", blocks.size(), fmt::join(shown, ","));
}

std::string ShowIds(const std::set<model::Ulid>& blocks) {
  std::vector<std::string> shown;
  for (const model::Ulid& block : blocks) shown.push_back(block.ToString());
  return fmt::format("[{}]", fmt::join(shown, " "));
}

bool IsDamage(const Status& status) {
  return status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kNotFound;
}

// Of an overlap, the blocks that are there a second time. The one with the lowest ULID stays, as
// readers of the bucket choose it too.
std::set<model::Ulid> SecondCopies(const Overlap& overlap) {
  std::vector<MetaPtr> blocks = overlap.blocks;
  std::sort(blocks.begin(), blocks.end(),
            [](const MetaPtr& a, const MetaPtr& b) { return a->ulid < b->ulid; });
  std::vector<MetaPtr> kept;
  std::set<model::Ulid> copies;
  for (const MetaPtr& meta : blocks) {
    if (std::any_of(kept.begin(), kept.end(),
                    [&](const MetaPtr& other) { return AreCopies(*meta, *other); })) {
      copies.insert(meta->ulid);
    } else {
      kept.push_back(meta);
    }
  }
  return copies;
}

}  // namespace

Verifier::Verifier(VerifyOptions options, objstore::Bucket& bucket, objstore::Bucket* backup,
                   block::MetaFetcher& fetcher, ProgressBar& progress, Logger logger,
                   prometheus::Registry& metrics)
    : options_(std::move(options)),
      bucket_(bucket),
      backup_(backup),
      fetcher_(fetcher),
      progress_(progress),
      logger_(std::move(logger)),
      marked_(prometheus::BuildCounter()
                  .Name("thanos_verify_blocks_marked_for_deletion_total")
                  .Help("Blocks that a repair marked for deletion.")
                  .Register(metrics)
                  .Add({})) {}

Status Verifier::CheckOptions() const {
  for (const std::string& issue : options_.issues) {
    if (std::find(kIssues.begin(), kIssues.end(), issue) == kIssues.end()) {
      return InvalidArgument("no such issue ID {}; there are {}", issue, fmt::join(kIssues, ", "));
    }
  }
  if (options_.repair && backup_ == nullptr)
    return InvalidArgument("--repair: a backup bucket is needed; give --objstore-backup.config");
  return OkStatus();
}

Status Verifier::Run(const Context& context) {
  RETURN_IF_ERROR(CheckOptions());
  std::vector<std::string_view> issues;
  for (const std::string_view issue : kIssues) {
    if (std::find(options_.issues.begin(), options_.issues.end(), issue) != options_.issues.end())
      issues.push_back(issue);
  }
  const Logger logger = logger_.With("verifiers", fmt::format("{}", fmt::join(issues, ",")));
  const std::string_view task = options_.repair ? "verify and repair task" : "verify task";
  logger.Info(fmt::format("Starting {}", task));
  for (const std::string_view issue : issues) {
    RETURN_IF_ERROR(Annotate(RunIssue(context, issue, logger.With("verifier", issue)), issue));
  }
  logger.Info(fmt::format("{} completed", task));
  if (damaged_ > 0) return Corruption("blocks that are damaged: {}; the log names them", damaged_);
  if (not_repaired_ > 0) {
    return Unimplemented(
        "blocks with issues that this version finds and can't repair: {}; the log names them",
        not_repaired_);
  }
  return OkStatus();
}

Status Verifier::RunIssue(const Context& context, std::string_view issue, const Logger& logger) {
  if (issue == kOverlappedBlocks) return VerifyOverlaps(context, logger);
  if (issue == kIndexKnownIssues) return VerifyBlocks(context, logger);
  return RepairDuplicates(context, logger);
}

Status Verifier::VerifyOverlaps(const Context& context, const Logger& logger) {
  logger.Info("started verifying issue");
  ASSIGN_OR_RETURN(const auto fetched, fetcher_.Fetch(context));
  for (const auto& [group, overlaps] : FindOverlaps(fetched->metas)) {
    for (const Overlap& overlap : overlaps) {
      const bool wanted = std::any_of(overlap.blocks.begin(), overlap.blocks.end(),
                                      [&](const MetaPtr& meta) { return IsWanted(meta->ulid); });
      if (!wanted) continue;
      logger.Warn("found overlapped blocks", {{"group", group}, {"overlap", ShowOverlap(overlap)}});
    }
  }
  return OkStatus();
}

Status Verifier::VerifyBlocks(const Context& context, const Logger& logger) {
  logger.Info("started verifying issue", {{"with-repair", options_.repair}});
  ASSIGN_OR_RETURN(const auto fetched, fetcher_.Fetch(context));
  for (const auto& [ulid, meta] : fetched->metas) {
    if (!IsWanted(ulid)) continue;
    for (const block::BlockFile& file : meta->files) progress_.Expect(file.size_bytes);
  }
  for (const auto& [ulid, meta] : fetched->metas) {
    if (!IsWanted(ulid)) continue;
    std::string problems;
    const Status status = VerifyBlock(context, *meta, &problems);
    if (!status.ok() && !IsDamage(status)) return Annotate(status, "block " + ulid.ToString());
    if (status.ok() && problems.empty()) {
      logger.Debug("no issue", {{"id", ulid.ToString()}});
      continue;
    }
    logger.Warn(
        "detected issue",
        {{"id", ulid.ToString()}, {"err", status.ok() ? problems : std::string(status.message())}});
    if (!status.ok()) {
      ++damaged_;
    } else if (options_.repair) {
      ++not_repaired_;
    }
  }
  logger.Info("verified issue", {{"with-repair", options_.repair}});
  return OkStatus();
}

Status Verifier::VerifyBlock(const Context& context, const block::Meta& meta,
                             std::string* problems) {
  ASSIGN_OR_RETURN(const IndexHealth health, CheckBlock(context, bucket_, meta, progress_));
  *problems = health.Problems();
  return OkStatus();
}

Status Verifier::RepairDuplicates(const Context& context, const Logger& logger) {
  logger.Info("started verifying issue", {{"with-repair", options_.repair}});
  ASSIGN_OR_RETURN(const auto fetched, fetcher_.Fetch(context));
  std::set<model::Ulid> removable;
  for (const auto& [group, overlaps] : FindOverlaps(fetched->metas)) {
    for (const Overlap& overlap : overlaps) {
      std::set<model::Ulid> copies = SecondCopies(overlap);
      const std::string range = fmt::format("{{{} {}}}", overlap.min_time, overlap.max_time);
      const std::string blocks = ShowBlocks(overlap.blocks);
      if (copies.empty()) {
        logger.Warn(
            "found overlapped blocks, but all of the blocks are unique. Seems like unrelated "
            "issue. "
            "Ignoring overlap",
            {{"group", group}, {"range", range}, {"overlap", blocks}});
        continue;
      }
      std::erase_if(copies, [&](const model::Ulid& block) { return !IsWanted(block); });
      logger.Warn(
          "Found duplicated blocks",
          {{"group", group}, {"range", range}, {"overlap", blocks}, {"ULIDs", ShowIds(copies)}});
      removable.merge(copies);
    }
  }
  logger.Warn("Found duplicated blocks that are ok to be removed",
              {{"ULIDs", ShowIds(removable)}, {"num", removable.size()}});
  if (!options_.repair) return OkStatus();
  // A block that was not seen may be why another is no copy any more.
  RETURN_IF_ERROR(Annotate(fetched->complete, "nothing is removed"));
  for (const model::Ulid& block : removable) {
    RETURN_IF_ERROR(Annotate(BackUpAndRemove(context, block, logger), "block " + block.ToString()));
  }
  if (!removable.empty())
    logger.Info("Removed all duplicated blocks; what overlaps still has another cause");
  return OkStatus();
}

Status Verifier::BackUpAndRemove(const Context& context, const model::Ulid& block,
                                 const Logger& logger) {
  RETURN_IF_ERROR(Annotate(
      CopyBlock(context, bucket_, *backup_, block, OtherBlock::kRefused, progress_).status(),
      "back up"));
  if (options_.delete_delay.count() == 0) {
    RETURN_IF_ERROR(Annotate(block::DeleteBlock(context, bucket_, block), "delete"));
    logger.Info("Removed duplicated block", {{"id", block.ToString()}});
    return OkStatus();
  }
  const block::Mark mark{.kind = block::MarkKind::kDeletion,
                         .block = block,
                         .details = "duplicate of another block, marked by verify --repair",
                         .time_seconds = options_.clock->NowMs() / 1000,
                         .reason = ""};
  ASSIGN_OR_RETURN(const bool put, block::PutMark(context, bucket_, mark));
  if (put) marked_.Increment();
  logger.Info("marked duplicated block for deletion", {{"id", block.ToString()}});
  return OkStatus();
}

}  // namespace aevum::tools
