#include "compact/workplace.h"

#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "objstore/parallel.h"

namespace aevum::compact {
namespace {

// A look costs several calls a block.
constexpr std::chrono::milliseconds kReuseFor{30'000};

std::chrono::milliseconds Milliseconds(Nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

block::MetaFetcher::Filters MakeFilters(const CompactorOptions& options,
                                        std::shared_ptr<block::DeletionMarkFilter> deletion_marks,
                                        std::shared_ptr<block::DuplicateFilter> duplicates,
                                        std::shared_ptr<ReplicaNotes> replicas,
                                        prometheus::Registry& registry, const Clock& clock) {
  return {
      std::make_shared<block::TimePartitionFilter>(options.min_time, options.max_time, clock),
      std::make_shared<block::LabelFilter>(options.selector),
      std::make_shared<block::ConsistencyDelayFilter>(Milliseconds(options.consistency_delay),
                                                      registry, "thanos_consistency_delay_seconds",
                                                      clock),
      std::move(deletion_marks),
      std::move(replicas),
      std::make_shared<block::ReplicaLabelRemover>(options.replica_labels),
      std::move(duplicates),
  };
}

// Blocks with a mark of a kind. A mark that can't be read counts: somebody meant it.
StatusOr<std::set<model::Ulid>> FindMarks(const Context& context, objstore::Bucket& bucket,
                                          const block::MetaMap& blocks, block::MarkKind kind,
                                          std::size_t concurrency) {
  std::vector<model::Ulid> asked;
  for (const auto& [ulid, meta] : blocks) asked.push_back(ulid);
  std::vector<std::uint8_t> marked(asked.size(), 0);
  RETURN_IF_ERROR(
      objstore::RunParallel(bucket.pool(), asked.size(), concurrency, [&](std::size_t i) -> Status {
        ASSIGN_OR_RETURN(
            const bool exists,
            bucket.Exists(context, block::ObjectName(asked[i], block::MarkFile(kind))));
        marked[i] = exists ? 1 : 0;
        return OkStatus();
      }));
  std::set<model::Ulid> result;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (marked[i] != 0) result.insert(asked[i]);
  }
  return result;
}

}  // namespace

Status ReplicaNotes::Apply(const Context& /*context*/, block::FetchView& view) {
  auto replicas = std::make_shared<Replicas>();
  for (const auto& [ulid, meta] : view.metas) {
    std::string replica;
    for (const std::string& label : labels_) {
      const auto found = meta->labels.find(label);
      if (found != meta->labels.end()) replica += label + '\xff' + found->second + '\xff';
    }
    if (!replica.empty()) replicas->emplace(ulid, std::move(replica));
  }
  replicas_.Set(std::move(replicas));
  return OkStatus();
}

std::uint64_t SizeOf(const std::vector<MetaPointer>& blocks) {
  std::uint64_t size = 0;
  for (const MetaPointer& meta : blocks) {
    for (const block::BlockFile& file : meta->files)
      size += static_cast<std::uint64_t>(std::max<std::int64_t>(file.size_bytes, 0));
  }
  return size;
}

Workplace::Workplace(CompactorOptions compactor_options, std::shared_ptr<objstore::Bucket> to,
                     BlockWork block_work, Logger to_log, prometheus::Registry& registry,
                     const Clock& time)
    : options(std::move(compactor_options)),
      bucket(std::move(to)),
      work(std::move(block_work)),
      logger(std::move(to_log)),
      clock(time),
      metrics(registry),
      problems(logger, clock,
               [this](std::size_t count) { metrics.problems.Set(static_cast<double>(count)); }),
      scratch(options.data_dir, options.scratch_size_bytes),
      leases(options.leases, bucket, logger, clock),
      deletion_marks_(std::make_shared<block::DeletionMarkFilter>(
          block::DeletionMarkFilter::Options{.delay = std::chrono::milliseconds::min(),
                                             .concurrency = options.meta_fetch_concurrency},
          *bucket, logger, clock)),
      duplicates_(std::make_shared<block::DuplicateFilter>()),
      replicas_(std::make_shared<ReplicaNotes>(options.replica_labels)),
      tombstones_(*bucket, logger),
      fetcher_(std::make_shared<block::MetaReader>(
                   block::MetaReaderOptions{.discovery = options.discovery,
                                            .concurrency = options.meta_fetch_concurrency,
                                            .cache_directory = options.data_dir},
                   *bucket, logger, registry),
               MakeFilters(options, deletion_marks_, duplicates_, replicas_, registry, clock),
               logger, registry) {
  metrics.delete_delay_seconds.Set(std::chrono::duration<double>(options.delete_delay).count());
}

StatusOr<std::shared_ptr<const BlockView>> Workplace::Look(const Context& context) {
  MutexLock lock(look_mutex_);
  return LookLocked(context);
}

StatusOr<std::shared_ptr<const BlockView>> Workplace::LookOrReuse(const Context& context,
                                                                  Reuse reuse) {
  MutexLock lock(look_mutex_);
  const std::shared_ptr<const BlockView> last = last_view_.Get();
  const bool usable = last && last->fetched->complete.ok() &&
                      clock.NowMs() - last->at_ms < kReuseFor.count() &&
                      (reuse == Reuse::kRecent || seen_changes_ == changes_);
  if (usable) return last;
  return LookLocked(context);
}

StatusOr<std::shared_ptr<const BlockView>> Workplace::LookLocked(const Context& context) {
  seen_changes_ = changes_;
  auto view = std::make_shared<BlockView>();
  ASSIGN_OR_RETURN(view->fetched, fetcher_.Fetch(context));
  view->duplicates = *duplicates_->duplicates();
  view->deletion_marks = deletion_marks_->marks();
  view->replicas = replicas_->replicas();
  const auto find = [&](block::MarkKind kind) {
    return FindMarks(context, *bucket, view->fetched->metas, kind, options.meta_fetch_concurrency);
  };
  ASSIGN_OR_RETURN(view->no_compact, find(block::MarkKind::kNoCompact));
  ASSIGN_OR_RETURN(view->no_downsample, find(block::MarkKind::kNoDownsample));
  ASSIGN_OR_RETURN(view->tombstones, tombstones_.Sync(context));
  view->at_ms = clock.NowMs();
  last_view_.Set(view);
  RETURN_IF_ERROR(view->fetched->complete);
  return std::shared_ptr<const BlockView>(std::move(view));
}

Status Workplace::Mark(const Context& context, objstore::Bucket& to, block::MarkKind kind,
                       const model::Ulid& block, std::string_view reason,
                       std::string_view details) {
  const block::Mark mark{.kind = kind,
                         .block = block,
                         .details = std::string(details),
                         .time_seconds = clock.NowMs() / 1000,
                         .reason = std::string(reason)};
  ++changes_;  // also when it fails, or nobody knows
  ASSIGN_OR_RETURN(const bool put, block::PutMark(context, to, mark));
  if (!put) return OkStatus();
  metrics.Marked(kind, reason);
  logger.Info("block has been marked", {{"block", block.ToString()},
                                        {"marker", block::MarkFile(kind)},
                                        {"reason", reason},
                                        {"details", details}});
  return OkStatus();
}

std::function<void(std::uint64_t)> Workplace::CountChunkBytes() {
  return [this, seen = std::uint64_t{0}](std::uint64_t bytes) mutable {
    if (bytes > seen) metrics.chunk_bytes_read.Increment(static_cast<double>(bytes - seen));
    seen = bytes;
  };
}

StatusOr<bool> Workplace::AreLive(const Context& context, const std::vector<MetaPointer>& blocks) {
  std::atomic<bool> live = true;
  RETURN_IF_ERROR(objstore::RunParallel(
      bucket->pool(), blocks.size(), options.meta_fetch_concurrency, [&](std::size_t i) -> Status {
        const auto exists = [&](std::string_view file) {
          return bucket->Exists(context, block::ObjectName(blocks[i]->ulid, file));
        };
        ASSIGN_OR_RETURN(const bool there, exists(block::kMetaFile));
        ASSIGN_OR_RETURN(const bool marked, exists(block::MarkFile(block::MarkKind::kDeletion)));
        if (!there || marked) live = false;
        return OkStatus();
      }));
  return live.load();
}

Status Workplace::Upload(const Context& context, objstore::Bucket& to, const std::string& directory,
                         const block::Meta& meta) {
  ++changes_;  // also when it fails, or nobody knows
  return block::UploadBlock(
      context, to, directory, meta,
      {.hash = options.hash, .concurrency = options.files_concurrency, .clock = &clock});
}

}  // namespace aevum::compact
