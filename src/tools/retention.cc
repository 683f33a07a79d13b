#include "tools/retention.h"

#include <cstdint>
#include <memory>
#include <string>

#include "block/fetcher.h"
#include "block/filters.h"
#include "block/marks.h"
#include "tools/bucket_blocks.h"

namespace aevum::tools {
namespace {

using compaction::RetentionDecision;
using std::chrono::milliseconds;

// What the objects of a block hold, as the bucket lists them.
StatusOr<std::uint64_t> StoredBytes(const Context& context, objstore::Bucket& bucket,
                                    const model::Ulid& block) {
  std::uint64_t bytes = 0;
  RETURN_IF_ERROR(bucket.Iterate(context, block.ToString(),
                                 {.depth = objstore::IterateOptions::Depth::kRecursive,
                                  .attributes = objstore::IterateOptions::Attributes::kWanted},
                                 [&](const objstore::ListedObject& object) {
                                   const std::int64_t size = object.size_bytes.value_or(0);
                                   if (size > 0) bytes += static_cast<std::uint64_t>(size);
                                   return OkStatus();
                                 }));
  return bytes;
}

std::string Describe(const RetentionDecision& decision) {
  const block::Meta& meta = *decision.meta;
  const std::string rule =
      decision.rule.has_value() ? fmt::format("rule {}", *decision.rule) : "its resolution";
  return fmt::format("{} resolution {}, last sample before {}, kept {} by {}", meta.ulid.ToString(),
                     FormatPrometheusDuration(milliseconds(meta.resolution_ms)),
                     FormatRfc3339(meta.max_time), FormatPrometheusDuration(decision.retention),
                     rule);
}

// Says what would be marked.
Status Report(const Context& context, objstore::Bucket& bucket,
              const std::vector<RetentionDecision>& decisions, const RetentionOptions& options) {
  std::uint64_t all_bytes = 0;
  std::size_t blocks = 0;
  for (const RetentionDecision& decision : decisions) {
    if (decision.waits) {
      RETURN_IF_ERROR(
          options.report(Describe(decision) + ": stays until its coarse copy is made\n"));
      continue;
    }
    ASSIGN_OR_RETURN(const std::uint64_t bytes, StoredBytes(context, bucket, decision.meta->ulid));
    RETURN_IF_ERROR(options.report(fmt::format("{}: {} bytes\n", Describe(decision), bytes)));
    all_bytes += bytes;
    ++blocks;
  }
  return options.report(fmt::format("would free {} bytes of {} blocks\n", all_bytes, blocks));
}

Status MarkExpired(const Context& context, objstore::Bucket& bucket,
                   const std::vector<RetentionDecision>& decisions, const Logger& logger,
                   const Clock& clock) {
  std::size_t marked = 0;
  std::size_t waiting = 0;
  for (const RetentionDecision& decision : decisions) {
    const std::string id = decision.meta->ulid.ToString();
    if (decision.waits) {
      ++waiting;
      logger.Info("block past its retention stays until its coarse copy is made", {{"id", id}});
      continue;
    }
    const std::string details =
        fmt::format("block exceeding retention of {}", FormatGoDuration(decision.retention));
    const StatusOr<bool> put = block::PutMark(context, bucket,
                                              {.kind = block::MarkKind::kDeletion,
                                               .block = decision.meta->ulid,
                                               .details = details,
                                               .time_seconds = clock.NowMs() / 1000,
                                               .reason = ""});
    if (!put.ok()) return Annotate(put.status(), "mark block " + id);
    if (!*put) continue;  // another was faster
    logger.Info("applying retention: marking block for deletion", {{"id", id}, {"why", details}});
    ++marked;
  }
  logger.Info("optional retention apply done", {{"marked", marked}, {"waiting", waiting}});
  return OkStatus();
}

}  // namespace

Status ApplyRetention(const Context& context, objstore::Bucket& bucket,
                      const RetentionOptions& options, const Logger& logger,
                      prometheus::Registry& metrics, const Clock& clock) {
  // A marked copy will go, and is none to rely on.
  block::MetaFetcher fetcher(
      MakeMetaReader(bucket, options.concurrency, logger, metrics),
      {std::make_shared<block::LabelFilter>(options.selector),
       std::make_shared<block::ConsistencyDelayFilter>(
           std::chrono::duration_cast<milliseconds>(options.consistency_delay), metrics,
           "thanos_bucket_consistency_delay_seconds", clock),
       std::make_shared<block::DeletionMarkFilter>(
           block::DeletionMarkFilter::Options{.delay = milliseconds::min(),
                                              .concurrency = options.concurrency},
           bucket, logger, clock)},
      logger, metrics, std::string(kMetaMetrics));
  logger.Info("syncing blocks metadata");
  ASSIGN_OR_RETURN(const auto fetched, fetcher.Fetch(context));
  RETURN_IF_ERROR(fetched->complete);
  logger.Info("synced blocks done");
  const TimestampMs now = clock.NowMs();
  compaction::RetentionPolicy policy = options.policy;
  std::vector<RetentionDecision> decisions =
      compaction::BlocksBeyondRetention(fetched->metas, policy, now);
  for (const RetentionDecision& decision : decisions) {
    if (!decision.waits) continue;
    const model::Ulid& id = decision.meta->ulid;
    ASSIGN_OR_RETURN(
        const bool there,
        bucket.Exists(context,
                      block::ObjectName(id, block::MarkFile(block::MarkKind::kNoDownsample))));
    if (there) policy.no_downsample.insert(id);
  }
  if (!policy.no_downsample.empty())
    decisions = compaction::BlocksBeyondRetention(fetched->metas, policy, now);
  if (options.report) return Report(context, bucket, decisions, options);
  return MarkExpired(context, bucket, decisions, logger, clock);
}

}  // namespace aevum::tools
