#include "tools/cleanup.h"

#include <chrono>
#include <memory>

#include "block/cleaner.h"
#include "block/fetcher.h"
#include "block/filters.h"
#include "tools/bucket_blocks.h"

namespace aevum::tools {

Status CleanUp(const Context& context, objstore::Bucket& bucket, const CleanupOptions& options,
               const Logger& logger, prometheus::Registry& metrics, const Clock& clock) {
  using std::chrono::milliseconds;
  const auto delay = std::chrono::duration_cast<milliseconds>(options.delete_delay);
  const auto marks = std::make_shared<block::DeletionMarkFilter>(
      block::DeletionMarkFilter::Options{.delay = delay, .concurrency = options.concurrency},
      bucket, logger, clock);
  block::MetaFetcher fetcher(
      MakeMetaReader(bucket, options.concurrency, logger, metrics),
      {std::make_shared<block::LabelFilter>(options.selector),
       std::make_shared<block::ConsistencyDelayFilter>(
           std::chrono::duration_cast<milliseconds>(options.consistency_delay), metrics,
           "thanos_bucket_consistency_delay_seconds", clock),
       marks},
      logger, metrics, std::string(kMetaMetrics));
  logger.Info("syncing blocks metadata");
  ASSIGN_OR_RETURN(const auto fetched, fetcher.Fetch(context));
  RETURN_IF_ERROR(fetched->complete);
  logger.Info("synced blocks done");
  block::CleaningResult uploads =
      block::DeleteAbortedUploads(context, bucket, fetched->partial, delay, logger, clock);
  const block::CleaningResult marked =
      block::DeleteMarkedBlocks(context, bucket, *marks->marks(), delay, logger, clock);
  RETURN_IF_ERROR(context.status());
  logger.Info("cleanup done",
              {{"deleted_blocks", marked.deleted}, {"deleted_partial_uploads", uploads.deleted}});
  if (const std::size_t failed = uploads.failed + marked.failed; failed > 0)
    return Unavailable("blocks that could not be deleted: {}; the log names them", failed);
  return OkStatus();
}

}  // namespace aevum::tools
