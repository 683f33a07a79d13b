#include "tools/replicate.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "base/pause.h"
#include "block/filters.h"
#include "tools/bucket_blocks.h"
#include "tools/copy_block.h"

namespace aevum::tools {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                          0.5,   1,    2.5,   5,    10};

prometheus::Counter& MakeCounter(prometheus::Registry& metrics, const std::string& name,
                                 const char* help, const prometheus::Labels& labels = {}) {
  return prometheus::BuildCounter()
      .Name("thanos_replicate_" + name)
      .Help(help)
      .Register(metrics)
      .Add(labels);
}

prometheus::Histogram& MakeSeconds(prometheus::Registry& metrics, const char* result) {
  return prometheus::BuildHistogram()
      .Name("thanos_replicate_replication_run_duration_seconds")
      .Help("How long runs took.")
      .Register(metrics)
      .Add({{"result", result}}, kSeconds);
}

block::MetaFetcher::Filters MakeFilters(const ReplicateOptions& options, objstore::Bucket& from,
                                        const Logger& logger, const Clock& clock) {
  block::MetaFetcher::Filters filters;
  if (!options.ids.empty()) return filters;
  filters.push_back(
      std::make_shared<block::TimePartitionFilter>(options.min_time, options.max_time, clock));
  if (options.ignore_marked_for_deletion) {
    filters.push_back(std::make_shared<block::DeletionMarkFilter>(
        block::DeletionMarkFilter::Options{}, from, logger, clock));
  }
  return filters;
}

}  // namespace

Replicator::Replicator(ReplicateOptions options, objstore::Bucket& from, objstore::Bucket& to,
                       ProgressBar& progress, Logger logger, prometheus::Registry& metrics,
                       const Clock& clock)
    : options_(std::move(options)),
      from_(from),
      to_(to),
      progress_(progress),
      logger_(std::move(logger)),
      fetcher_(MakeMetaReader(from, kMetaConcurrency, logger_, metrics, "thanos_blocks_meta"),
               MakeFilters(options_, from, logger_, clock), logger_, metrics),
      runs_ok_(MakeCounter(metrics, "replication_runs_total", "Runs of the replication.",
                           {{"result", "success"}})),
      runs_failed_(MakeCounter(metrics, "replication_runs_total", "Runs of the replication.",
                               {{"result", "error"}})),
      seconds_ok_(MakeSeconds(metrics, "success")),
      seconds_failed_(MakeSeconds(metrics, "error")),
      already_there_(MakeCounter(metrics, "blocks_already_replicated_total",
                                 "Blocks that the destination had already.")),
      blocks_(MakeCounter(metrics, "blocks_replicated_total", "Blocks that were copied.")),
      objects_(MakeCounter(metrics, "objects_replicated_total", "Objects that were copied.")) {}

bool Replicator::IsWanted(const block::Meta& meta) const {
  if (!options_.ids.empty()) return options_.ids.contains(meta.ulid);
  return options_.resolutions_ms.contains(meta.resolution_ms) &&
         options_.compaction_levels.contains(meta.compaction.level) &&
         model::MatchesAll(options_.matchers, meta.ExternalLabels());
}

Status Replicator::Replicate(const Context& context) {
  ASSIGN_OR_RETURN(const auto fetched, fetcher_.Fetch(context));
  for (const model::Ulid& id : options_.ids) {
    if (!fetched->metas.contains(id))
      return NotFound("the source has no whole block {}", id.ToString());
  }
  std::vector<std::shared_ptr<const block::Meta>> wanted;
  for (const auto& [ulid, meta] : fetched->metas) {
    if (IsWanted(*meta)) wanted.push_back(meta);
  }
  std::stable_sort(wanted.begin(), wanted.end(),
                   [](const auto& a, const auto& b) { return a->min_time < b->min_time; });
  std::size_t failed = 0;
  for (const auto& meta : wanted) {
    const std::string id = meta->ulid.ToString();
    const StatusOr<CopyResult> copied =
        CopyBlock(context, from_, to_, meta->ulid, OtherBlock::kReplaced, progress_);
    RETURN_IF_ERROR(context.status());
    if (!copied.ok()) {
      logger_.Error("a block can't be copied", {{"block", id}, {"err", copied.status()}});
      ++failed;
    } else if (copied->was_there) {
      already_there_.Increment();
      logger_.Debug("skipping block as already replicated", {{"block", id}});
    } else {
      blocks_.Increment();
      objects_.Increment(static_cast<double>(copied->objects));
      logger_.Info("replicated block",
                   {{"block", id}, {"objects", copied->objects}, {"bytes", copied->bytes}});
    }
  }
  if (failed > 0)
    return Unavailable("blocks that could not be copied: {} of {}; the log names them", failed,
                       wanted.size());
  return fetched->complete;
}

Status Replicator::Run(const Context& context) {
  const auto start = std::chrono::steady_clock::now();
  const Status status = Replicate(context);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  (status.ok() ? runs_ok_ : runs_failed_).Increment();
  (status.ok() ? seconds_ok_ : seconds_failed_).Observe(took.count());
  if (status.ok()) logger_.Info("ran replication successfully");
  return status;
}

void Replicator::RunAgainAndAgain(const Context& context, Nanoseconds interval) {
  while (context.status().ok()) {
    const Status status = Run(context);
    if (!context.status().ok()) return;
    if (!status.ok()) logger_.Error("running replication failed", {{"err", status}});
    if (!Pause(context, interval).ok()) return;
  }
}

}  // namespace aevum::tools
