#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>

#include "block/blocks_api.h"
#include "cache/caching_bucket_config.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/service.h"
#include "cli/store_flags.h"
#include "cli/web_flags.h"
#include "store/grpc_server.h"
#include "storegateway/index_cache_config.h"
#include "storegateway/memory_index_cache.h"
#include "storegateway/store_gateway.h"
#include "web/pages.h"

namespace aevum::cli {
namespace {

struct StoreCommand {
  ServiceOptions service;
  RequestLogFlags request_log;
  ObjectStorageFlags object_storage;
  store::SelectLimits limits;
  FlagSet::Content selector_relabel;
  FlagSet::Content index_cache;
  FlagSet::Content caching_bucket;
  std::uint64_t index_cache_bytes = 250 << 20;
  std::int64_t max_concurrency = 20;
  std::int64_t fetch_concurrency = 32;
  std::int64_t sync_concurrency = 20;
  std::int64_t series_batch = 10'000;
  std::uint64_t most_series_bytes = 64 << 10;
  std::int64_t sampling = 32;
  std::int64_t matcher_cache_size = 0;
  std::string discovery = "concurrent";
  std::string download_strategy = "eager";
  bool keep_headers = true;
  bool lazy_reader = false;
  Nanoseconds idle_timeout = std::chrono::minutes(5);
  storegateway::StoreGatewayOptions options;
  WebFlags web{WebFlags::Routes::kAtRoot};
  block::BlocksApiOptions api;
  bool disable_web = false;

  void AddFlags(FlagSet& flags);
  void AddWebFlags(FlagSet& flags);
  void AddBlockFlags(FlagSet& flags);
  void AddReadFlags(FlagSet& flags);
  Status Finish();
  StatusOr<std::shared_ptr<storegateway::IndexCache>> OpenIndexCache(const Logger& logger,
                                                                     Service& running) const;
  StatusOr<std::shared_ptr<objstore::Bucket>> OpenBucket(const Logger& logger, Service& running);
  int Run(const GlobalOptions& global, const FlagSet& flags);
  Status AddRoutes(net::HttpServer& server, storegateway::StoreGateway& gateway,
                   objstore::Bucket& bucket, const Logger& logger, const FlagSet& flags);
};

void StoreCommand::AddBlockFlags(FlagSet& flags) {
  flags.Group("Blocks");
  flags.String({"data-dir", "Directory for index-headers and metas; can be lost.", "DIR"},
               &options.data_dir);
  flags.GoDuration({"sync-block-duration", "How often the bucket is looked at for new blocks."},
                   &options.sync_interval);
  flags.Enum({"block-discovery-strategy",
              "How blocks are found: `concurrent` lists the root and asks for each meta.json, "
              "`recursive` lists everything."},
             {"concurrent", "recursive"}, &discovery);
  flags.Int({"block-meta-fetch-concurrency", "How many meta.json are read at once."},
            &fetch_concurrency);
  flags.Int({"block-sync-concurrency", "How many blocks one request reads at once."},
            &sync_concurrency);
  flags.Time({"min-time",
              "Oldest time whose data is served: RFC 3339, or a duration before now such as -6w."},
             &options.min_time, "0000-01-01T00:00:00Z");
  flags.Time({"max-time",
              "Newest time whose data is served: RFC 3339, or a duration before now such as -2h."},
             &options.max_time, "9999-12-31T23:59:59Z");
  flags.PrometheusDuration(
      {"consistency-delay", "Age that a block must have, for stores whose listings lag behind."},
      &options.consistency_delay);
  flags.PrometheusDuration(
      {"ignore-deletion-marks-delay",
       "How long a block marked for deletion is served, until others have replaced it."},
      &options.ignore_deletion_marks_delay);
  AddBlockSelector(flags, &selector_relabel);
  flags.Bool({"store.enable-index-header-lazy-reader",
              "Let go of index-headers that no request used for a while. They are opened on first "
              "use in any case."},
             &lazy_reader);
  flags.GoDuration({"store.index-header-lazy-reader-idle-timeout", "How long that while is.",
                    "DURATION", Visibility::kHidden},
                   &idle_timeout);
  flags.Enum({"store.index-header-lazy-download-strategy",
              "When index-headers are made: `eager` in the background once the gateway is ready, "
              "`lazy` by the first request that needs one."},
             {"eager", "lazy"}, &download_strategy);
  flags.Bool({"cache-index-header", "Accepted for compatibility: index-headers are kept on disk."},
             &keep_headers);
  flags.Int({"store.index-header-posting-offsets-in-mem-sampling",
             "Accepted for compatibility: one of 32 is kept in memory.", "N", Visibility::kHidden},
            &sampling);
}

void StoreCommand::AddReadFlags(FlagSet& flags) {
  flags.Group("Memory and limits");
  flags.Bytes({"index-cache-size",
               "Memory for postings and series of indexes, without --index-cache.config.", "BYTES"},
              &index_cache_bytes);
  flags.ContentPair(
      {"index-cache.config", "YAML of the cache for indexes: IN-MEMORY, MEMCACHED or REDIS."},
      &index_cache);
  flags.ContentPair({"store.caching-bucket.config",
                     "YAML of a cache for chunks, small objects and listings of the bucket: "
                     "IN-MEMORY, MEMCACHED or REDIS."},
                    &caching_bucket);
  flags.Bytes(
      {"chunk-pool-size", "Most memory that chunks of all requests together take.", "BYTES"},
      &options.store.chunk_pool_bytes);
  flags.Bytes({"store.grpc.downloaded-bytes-limit",
               "Most bytes that one request may read from the bucket; 0: no limit.", "BYTES"},
              &options.store.downloaded_bytes_limit);
  flags.Int({"store.grpc.series-max-concurrency", "Series calls at once; others wait."},
            &max_concurrency);
  flags.Uint({"store.grpc.touched-series-limit", "Deprecated: --store.limits.request-series.", "N",
              Visibility::kHidden},
             &limits.series);
  flags.Uint({"store.grpc.series-sample-limit", "Deprecated: --store.limits.request-samples.", "N",
              Visibility::kHidden},
             &limits.samples);
  flags.Int({"debug.series-batch-size", "Series of a block that are read at once.", "N",
             Visibility::kHidden},
            &series_batch);
  flags.Uint({"debug.estimated-max-series-size", "Bytes that are read at once for a series.",
              "BYTES", Visibility::kHidden},
             &most_series_bytes);
  flags.Uint({"debug.estimated-max-chunk-size", "Bytes that are read at once for a chunk.", "BYTES",
              Visibility::kHidden},
             &options.store.most_chunk_bytes);
  flags.Bool({"store.enable-lazy-expanded-postings",
              "Leave postings unread that cost more than the series they spare; their matchers are "
              "applied to the series."},
             &options.store.lazy_postings.enabled);
  flags.Double({"store.posting-group-max-key-series-ratio",
                "Leave postings of a matcher unread, too, when it has more values than so many for "
                "each series that is expected; 0: never for that reason."},
               &options.store.lazy_postings.max_keys_per_series);
  flags.Int({"matcher-cache-size", "Accepted for compatibility: matchers are not cached."},
            &matcher_cache_size);
  for (const char* name : {"objstore-parquet.config", "objstore-parquet.config-file"})
    flags.Refused({name, ""}, "this version reads no bucket of Parquet files");
}

void StoreCommand::AddWebFlags(FlagSet& flags) {
  web.Add(flags);
  flags.Bool({"web.disable", "Serve no pages and no API about the blocks."}, &disable_web);
  flags.String({"bucket-web-label",
                "External label by which pages group blocks; empty: all of them.", "NAME"},
               &api.label);
  flags.Bool({"disable-admin-operations", "Put no marks beside blocks over the API."},
             &api.disable_admin_operations);
}

Status StoreCommand::AddRoutes(net::HttpServer& server, storegateway::StoreGateway& gateway,
                               objstore::Bucket& bucket, const Logger& logger,
                               const FlagSet& flags) {
  ASSIGN_OR_RETURN(const net::ApiRoutesOptions routes_options, web.Read());
  if (disable_web) return OkStatus();
  api.loaded = [&gateway] {
    const storegateway::StoreGateway::Loaded loaded = gateway.loaded();
    return block::BlocksView{.blocks = loaded.blocks,
                             .refreshed_ms = loaded.at_ms,
                             .status = loaded.blocks ? loaded.blocks->complete : OkStatus()};
  };
  net::ApiRoutes routes(server, routes_options, logger);
  block::AddBlocksRoutes(routes, api, bucket, logger);
  AddComponentRoutes(routes, flags.Values());
  return web::AddPages(server, {.component = web::Component::kStore,
                                .prefix = routes_options.prefix,
                                .admin_operations = !api.disable_admin_operations});
}

void StoreCommand::AddFlags(FlagSet& flags) {
  AddHttpFlags(flags, &service);
  AddGrpcServerFlags(flags, &service);
  object_storage.Add(flags);
  AddBlockFlags(flags);
  AddReadFlags(flags);
  AddSeriesLimitFlags(flags, &limits);
  request_log.Add(flags);
  AddWebFlags(flags);
}

Status StoreCommand::Finish() {
  ASSIGN_OR_RETURN(options.selector, ReadSelector(selector_relabel));

  struct Positive {
    const char* flag;
    std::int64_t value;
  };
  for (const auto& [flag, value] : {Positive{"store.grpc.series-max-concurrency", max_concurrency},
                                    Positive{"block-meta-fetch-concurrency", fetch_concurrency},
                                    Positive{"block-sync-concurrency", sync_concurrency},
                                    Positive{"debug.series-batch-size", series_batch}}) {
    if (value < 1) return InvalidArgument("--{}: must be at least 1, got {}", flag, value);
  }
  options.meta_fetch_concurrency = static_cast<std::size_t>(fetch_concurrency);
  options.store.threads = static_cast<std::size_t>(sync_concurrency);
  options.store.series_batch = static_cast<std::size_t>(series_batch);
  options.store.max_concurrent = static_cast<std::size_t>(max_concurrency);
  // A page holds what a series is thought to take.
  options.store.index_page_bytes = std::clamp<std::uint64_t>(most_series_bytes, 4 << 10, 1 << 20);
  options.store.most_series_bytes = most_series_bytes;
  options.discovery =
      discovery == "recursive" ? block::Discovery::kRecursive : block::Discovery::kConcurrent;
  options.make_headers_early = download_strategy == "eager";
  if (lazy_reader) options.header_idle_timeout = idle_timeout;
  return OkStatus();
}

StatusOr<std::shared_ptr<storegateway::IndexCache>> StoreCommand::OpenIndexCache(
    const Logger& logger, Service& running) const {
  ASSIGN_OR_RETURN(const std::string yaml, ReadContent(index_cache, /*expand_environment=*/true));
  if (!yaml.empty()) {
    auto cache = storegateway::OpenIndexCache(yaml, logger, running.metrics());
    if (!cache.ok()) return Annotate(cache.status(), "--index-cache.config");
    return cache;
  }
  return std::shared_ptr<storegateway::IndexCache>(std::make_shared<storegateway::MemoryIndexCache>(
      cache::LruLimits{index_cache_bytes, index_cache_bytes / 2}, *running.metrics()));
}

StatusOr<std::shared_ptr<objstore::Bucket>> StoreCommand::OpenBucket(const Logger& logger,
                                                                     Service& running) {
  ASSIGN_OR_RETURN(std::shared_ptr<objstore::Bucket> bucket,
                   object_storage.OpenRequired(*running.metrics()));
  ASSIGN_OR_RETURN(const std::string yaml,
                   ReadContent(caching_bucket, /*expand_environment=*/true));
  if (yaml.empty()) return bucket;
  auto caching = cache::OpenCachingBucket(yaml, caching_bucket.path, std::move(bucket), logger,
                                          running.metrics());
  if (!caching.ok()) return Annotate(caching.status(), "--store.caching-bucket.config");
  options.store.origin = (*caching)->origin();
  return std::shared_ptr<objstore::Bucket>(*std::move(caching));
}

int StoreCommand::Run(const GlobalOptions& global, const FlagSet& flags) {
  const Logger logger = MakeLogger(global).With("component", "store");
  const auto fail = [&](const Status& status) {
    logger.Error("can't start", {{"err", status}});
    return kExitFailure;
  };
  if (const Status status = Finish(); !status.ok()) return fail(status);
  if (const Status status = request_log.Load(logger, &service); !status.ok()) return fail(status);
  if (const Status status = LoadTracing(global, "store", logger, &service); !status.ok())
    return fail(status);
  Service running("store", service, logger);
  const auto bucket = OpenBucket(logger, running);
  if (!bucket.ok()) return fail(bucket.status());
  auto cache = OpenIndexCache(logger, running);
  if (!cache.ok()) return fail(cache.status());
  storegateway::StoreGateway gateway(options, *bucket, *std::move(cache), logger,
                                     running.metrics());
  if (const Status status = AddRoutes(running.http(), gateway, **bucket, logger, flags);
      !status.ok())
    return fail(status);
  store::LimitedStore limited(gateway.store(), limits, running.metrics());
  store::RegisterStore(running.grpc(), limited, running.metrics());
  store::RegisterInfo(running.grpc(), [&](const Context& context) -> StatusOr<wire::InfoResponse> {
    if (!gateway.loaded().blocks) return Unavailable("the bucket was not looked at yet");
    return gateway.store().Info(context);
  });
  const auto on_synced = [&](const Status& status) {
    if (status.ok()) running.probe().SetReady();
  };
  return running.Run(
      [&] {
        gateway.Start(on_synced);
        return OkStatus();
      },
      [&] { gateway.Stop(); });
}

}  // namespace

Runner AddStoreCommand(CLI::App& app) {
  const auto command = std::make_shared<StoreCommand>();
  const auto flags = std::make_shared<FlagSet>(app);
  command->AddFlags(*flags);
  return [command, flags](const GlobalOptions& global) { return command->Run(global, *flags); };
}

}  // namespace aevum::cli
