#include "block/fetcher.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <utility>

#include "base/duration.h"

namespace aevum::block {
namespace {

prometheus::Counter& MakeCounter(prometheus::Registry& registry, const std::string& name,
                                 const std::string& help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

std::string_view BlockStateName(BlockState state) {
  static constexpr std::array<std::string_view, kBlockStates> names = {"corrupted-meta-json",
                                                                       "no-meta-json",
                                                                       "loaded",
                                                                       "too-fresh",
                                                                       "failed",
                                                                       "label-excluded",
                                                                       "time-excluded",
                                                                       "duplicate",
                                                                       "marked-for-deletion",
                                                                       "marked-for-no-compact",
                                                                       "marked-for-no-downsample",
                                                                       "parquet-migrated"};
  return names[static_cast<std::size_t>(state)];
}

MetaFetcher::MetaFetcher(std::shared_ptr<MetaReader> reader, Filters filters, Logger logger,
                         prometheus::Registry& registry, const std::string& prefix)
    : reader_(std::move(reader)),
      filters_(std::move(filters)),
      logger_(std::move(logger)),
      syncs_(MakeCounter(registry, prefix + "_syncs_total", "How often blocks were fetched.")),
      failures_(MakeCounter(registry, prefix + "_sync_failures_total",
                            "How often fetching blocks failed.")),
      seconds_(
          prometheus::BuildHistogram()
              .Name(prefix + "_sync_duration_seconds")
              .Help("Time to fetch blocks.")
              .Register(registry)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.01, 1, 10, 100, 300, 600, 1000})),
      labels_removed_(prometheus::BuildGauge()
                          .Name(prefix + "_modified")
                          .Help("Blocks whose meta was changed by the last fetch.")
                          .Register(registry)
                          .Add({{"modified", "replica-label-removed"}})) {
  auto& synced = prometheus::BuildGauge()
                     .Name(prefix + "_synced")
                     .Help("Blocks by what became of them in the last fetch.")
                     .Register(registry);
  for (std::size_t i = 0; i < kBlockStates; ++i) {
    synced_[i] = &synced.Add({{"state", std::string(BlockStateName(static_cast<BlockState>(i)))}});
  }
}

StatusOr<std::shared_ptr<const FetchedBlocks>> MetaFetcher::Fetch(const Context& context) {
  MutexLock lock(mutex_);
  const auto start = std::chrono::steady_clock::now();
  syncs_.Increment();
  StatusOr<std::shared_ptr<const FetchedBlocks>> fetched = FetchLocked(context, start);
  seconds_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  if (!fetched.ok() || !(*fetched)->complete.ok()) failures_.Increment();
  return fetched;
}

StatusOr<std::shared_ptr<const FetchedBlocks>> MetaFetcher::FetchLocked(
    const Context& context, std::chrono::steady_clock::time_point start) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const BucketBlocks> blocks, reader_->Read(context));
  FetchView view;
  view.metas = blocks->metas;
  view.deletion_marks = blocks->deletion_marks;
  for (const auto& [block, status] : blocks->partial) {
    view.Count(status.code() == StatusCode::kNotFound ? BlockState::kNoMeta
                                                      : BlockState::kCorruptedMeta);
  }
  for (std::size_t i = 0; i < blocks->failed.size(); ++i) view.Count(BlockState::kFailed);
  for (const auto& filter : filters_) RETURN_IF_ERROR(filter->Apply(context, view));
  view.states[static_cast<std::size_t>(BlockState::kLoaded)] = view.metas.size();
  Publish(view);
  LogPartial(blocks->partial);
  const auto took = std::chrono::steady_clock::now() - start;
  logger_.Info(
      "successfully synchronized block metadata",
      {{"duration", FormatGoDuration(took)},
       {"duration_ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()},
       {"cached", blocks->metas.size()},
       {"returned", view.metas.size()},
       {"partial", blocks->partial.size()}});

  auto result = std::make_shared<FetchedBlocks>();
  result->metas = std::move(view.metas);
  result->partial = blocks->partial;
  if (!blocks->failed.empty()) {
    const auto& [block, status] = *blocks->failed.begin();
    result->complete = Unavailable("blocks that could not be looked at: {}, the first: {}: {}",
                                   blocks->failed.size(), block.ToString(), status.message());
    logger_.Warn("the view of the bucket is not complete", {{"err", result->complete}});
  }
  return result;
}

void MetaFetcher::LogPartial(const std::map<model::Ulid, Status>& partial) {
  std::set<model::Ulid> now;
  for (const auto& [block, status] : partial) {
    now.insert(block);
    if (known_partial_.contains(block)) continue;
    // A block without meta.json is mostly one that is being uploaded or deleted.
    if (status.code() == StatusCode::kNotFound) {
      logger_.Debug("block without meta.json", {{"block", block.ToString()}});
    } else {
      logger_.Warn("block set aside", {{"block", block.ToString()}, {"err", status}});
    }
  }
  known_partial_ = std::move(now);
}

void MetaFetcher::Publish(const FetchView& view) {
  for (std::size_t i = 0; i < kBlockStates; ++i)
    synced_[i]->Set(static_cast<double>(view.states[i]));
  labels_removed_.Set(static_cast<double>(view.labels_removed));
}

}  // namespace aevum::block
