#include "storegateway/store_gateway.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "block/filters.h"

namespace aevum::storegateway {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::chrono::milliseconds Milliseconds(Nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

std::shared_ptr<block::MetaReader> MakeReader(const StoreGatewayOptions& options,
                                              objstore::Bucket& bucket, const Logger& logger,
                                              prometheus::Registry& metrics) {
  return std::make_shared<block::MetaReader>(
      block::MetaReaderOptions{.discovery = options.discovery,
                               .concurrency = options.meta_fetch_concurrency,
                               .cache_directory = options.data_dir},
      bucket, logger, metrics);
}

block::MetaFetcher::Filters MakeFilters(const StoreGatewayOptions& options,
                                        objstore::Bucket& bucket, const Logger& logger,
                                        prometheus::Registry& metrics, const Clock& clock) {
  block::MetaFetcher::Filters filters = {
      std::make_shared<block::TimePartitionFilter>(options.min_time, options.max_time, clock),
      std::make_shared<block::LabelFilter>(options.selector),
      std::make_shared<block::ConsistencyDelayFilter>(Milliseconds(options.consistency_delay),
                                                      metrics, "thanos_consistency_delay_seconds",
                                                      clock),
      std::make_shared<block::DeletionMarkFilter>(
          block::DeletionMarkFilter::Options{
              .delay = Milliseconds(options.ignore_deletion_marks_delay),
              .concurrency = options.meta_fetch_concurrency},
          bucket, logger, clock),
      std::make_shared<block::DuplicateFilter>()};
  if (options.skip_parquet_migrated)
    filters.push_back(std::make_shared<block::ParquetMigratedFilter>());
  return filters;
}

BucketStoreOptions StoreOptions(const StoreGatewayOptions& options, const Clock& clock) {
  BucketStoreOptions store = options.store;
  store.served = [&clock, from = options.min_time, to = options.max_time] {
    return tsdb::TimeRange{from.At(clock.NowMs()), to.At(clock.NowMs())};
  };
  return store;
}

prometheus::Counter& CounterOf(prometheus::Registry& metrics, const std::string& name,
                               const char* help) {
  return prometheus::BuildCounter()
      .Name("thanos_bucket_store_" + name)
      .Help(help)
      .Register(metrics)
      .Add({});
}

prometheus::Gauge& GaugeOf(prometheus::Registry& metrics, const std::string& name,
                           const char* help) {
  return prometheus::BuildGauge()
      .Name("thanos_bucket_store_" + name)
      .Help(help)
      .Register(metrics)
      .Add({});
}

}  // namespace

StoreGateway::StoreGateway(StoreGatewayOptions options, std::shared_ptr<objstore::Bucket> bucket,
                           std::shared_ptr<IndexCache> index_cache, Logger logger,
                           std::shared_ptr<prometheus::Registry> metrics, const Clock& clock)
    : options_(std::move(options)),
      bucket_(std::move(bucket)),
      logger_(std::move(logger)),
      clock_(clock),
      metrics_(std::move(metrics)),
      fetcher_(MakeReader(options_, *bucket_, logger_, *metrics_),
               MakeFilters(options_, *bucket_, logger_, *metrics_, clock_), logger_, *metrics_),
      headers_(options_.data_dir, *bucket_, logger_, *metrics_),
      tombstones_(*bucket_, logger_),
      store_(StoreOptions(options_, clock_), bucket_, std::move(index_cache), *metrics_),
      block_loads_(CounterOf(*metrics_, "block_loads_total", "Blocks that began to be served.")),
      block_drops_(CounterOf(*metrics_, "block_drops_total", "Blocks that ceased to be served.")),
      blocks_loaded_(GaugeOf(*metrics_, "blocks_loaded", "Blocks that are served.")),
      last_loaded_(GaugeOf(*metrics_, "blocks_last_loaded_timestamp_seconds",
                           "When the blocks of the bucket were last looked at.")),
      header_loads_(CounterOf(*metrics_, "indexheader_lazy_load_total",
                              "Index-headers that a request had to open.")),
      header_load_failures_(CounterOf(*metrics_, "indexheader_lazy_load_failed_total",
                                      "Index-headers that could not be opened.")),
      header_unloads_(CounterOf(*metrics_, "indexheader_lazy_unload_total",
                                "Index-headers that were let go since nobody used them.")) {}

StoreGateway::~StoreGateway() { Stop(); }

void StoreGateway::Start(std::function<void(const Status&)> on_synced) {
  thread_ = std::thread([this, on_synced = std::move(on_synced)] { Run(on_synced); });
  if (options_.make_headers_early) header_thread_ = std::thread([this] { MakeHeaders(); });
}

void StoreGateway::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  scope_.Cancel();
  if (thread_.joinable()) thread_.join();
  if (header_thread_.joinable()) header_thread_.join();
}

StoreGateway::Loaded StoreGateway::loaded() const {
  MutexLock lock(mutex_);
  return loaded_;
}

bool StoreGateway::Sleep(Nanoseconds duration) {
  const auto until = SteadyClock::now() + duration;
  MutexLock lock(mutex_);
  while (!stopping_ && SteadyClock::now() < until) lock.WaitUntil(wake_, until);
  return !stopping_;
}

void StoreGateway::Run(const std::function<void(const Status&)>& on_synced) {
  // Until the first look succeeds the gateway serves nothing: it is tried again soon.
  constexpr Nanoseconds kSoon = std::chrono::seconds(5);
  bool ready = false;
  auto next_sync = SteadyClock::now();
  while (true) {
    if (SteadyClock::now() >= next_sync) {
      const Status status = Sync(scope_.context());
      if (scope_.context().cancelled()) return;
      ready |= status.ok();
      if (!status.ok()) logger_.Warn("can't look at the bucket", {{"err", status}});
      on_synced(status);
      next_sync = SteadyClock::now() +
                  (ready ? options_.sync_interval : std::min(kSoon, options_.sync_interval));
    }
    Nanoseconds pause = std::max(Nanoseconds(next_sync - SteadyClock::now()), Nanoseconds(0));
    if (options_.header_idle_timeout.count() > 0) {
      LetGoOfIdleHeaders();
      pause = std::min(pause, options_.header_idle_timeout);
    }
    if (!Sleep(pause)) return;
  }
}

Status StoreGateway::Sync(const Context& context) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const block::FetchedBlocks> fetched,
                   fetcher_.Fetch(context));
  RETURN_IF_ERROR(SyncTombstones(context));
  SetBlocks(*fetched);
  const TimestampMs now = clock_.NowMs();
  last_loaded_.Set(static_cast<double>(now) / 1000);
  MutexLock lock(mutex_);
  loaded_ = {fetched, now};
  return OkStatus();
}

Status StoreGateway::SyncTombstones(const Context& context) {
  auto tombstones = tombstones_.Sync(context);
  if (tombstones.ok()) {
    knows_tombstones_ = true;
    store_.SetTombstones(*std::move(tombstones));
    return OkStatus();
  }
  const Status status = Annotate(tombstones.status(), "tombstones");
  // Nothing is served that may have been deleted; later on those that are known still hold.
  if (!knows_tombstones_) return status;
  logger_.Warn("can't look at the tombstones of the bucket", {{"err", status}});
  return OkStatus();
}

void StoreGateway::SetBlocks(const block::FetchedBlocks& fetched) {
  std::map<model::Ulid, std::shared_ptr<BucketBlock>> now;
  std::vector<std::shared_ptr<BucketBlock>> blocks;
  blocks.reserve(fetched.metas.size());
  for (const auto& [ulid, meta] : fetched.metas) {
    const auto known = known_.find(ulid);
    std::shared_ptr<BucketBlock> block;
    if (known != known_.end()) {
      block = known->second;
      known_.erase(known);
    } else {
      block = std::make_shared<BucketBlock>(meta,
                                            [this](const Context& context, const block::Meta& of) {
                                              return OpenHeader(context, of);
                                            });
      block_loads_.Increment();
    }
    blocks.push_back(block);
    now.emplace(ulid, std::move(block));
  }
  if (options_.make_headers_early) {
    std::vector<std::shared_ptr<BucketBlock>> to_make;
    for (const auto& block : blocks) {
      if (!std::filesystem::exists(headers_.PathOf(block->meta().ulid))) to_make.push_back(block);
    }
    std::sort(to_make.begin(), to_make.end(),
              [](const auto& a, const auto& b) { return a->meta().max_time < b->meta().max_time; });
    MutexLock lock(mutex_);
    to_make_ = std::move(to_make);
    wake_.notify_all();
  }
  store_.SetBlocks(std::make_shared<const BlockSet>(std::move(blocks)));
  blocks_loaded_.Set(static_cast<double>(now.size()));
  for (const auto& [ulid, block] : known_) {  // what is gone
    block_drops_.Increment();
    if (const Status removed = headers_.Remove(ulid); !removed.ok())
      logger_.Warn("can't remove an index-header", {{"block", block->id()}, {"err", removed}});
  }
  known_ = std::move(now);
}

StatusOr<BucketBlock::Tables> StoreGateway::OpenHeader(const Context& context,
                                                       const block::Meta& meta) {
  header_loads_.Increment();
  StatusOr<std::shared_ptr<const block::IndexHeader>> header = headers_.Load(context, meta);
  if (!header.ok()) {
    header_load_failures_.Increment();
    return header.status();
  }
  return BucketBlock::Tables(*header, &(*header)->tables());
}

void StoreGateway::MakeHeaders() {
  while (true) {
    std::shared_ptr<BucketBlock> block;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && to_make_.empty()) lock.Wait(wake_);
      if (stopping_) return;
      block = std::move(to_make_.back());
      to_make_.pop_back();
    }
    // One that fails is tried again by the request that needs it, which then says why.
    block->GetTables(scope_.context()).IgnoreError();
    // Only the file is wanted: memory is for those that requests use.
    block->LetGoUnusedSince(SteadyClock::now() + std::chrono::seconds(1));
  }
}

void StoreGateway::LetGoOfIdleHeaders() {
  const auto before = SteadyClock::now() - options_.header_idle_timeout;
  for (const auto& [ulid, block] : known_) {
    if (block->LetGoUnusedSince(before)) header_unloads_.Increment();
  }
}

}  // namespace aevum::storegateway
