#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>

#include "block/blocks_api.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/service.h"
#include "cli/store_flags.h"
#include "cli/web_flags.h"
#include "compact/compactor.h"
#include "compaction/downsample.h"
#include "model/ulid.h"
#include "web/pages.h"

namespace aevum::cli {
namespace {

constexpr std::int64_t kMaxLevel = std::size(compaction::kLevelRanges) - 1;

struct CompactCommand {
  ServiceOptions service;
  ObjectStorageFlags object_storage;
  FlagSet::Content selector_relabel;
  WebFlags web{WebFlags::Routes::kAtRoot};
  std::string route_prefix;
  block::BlocksApiOptions api;
  compact::CompactorOptions options;
  Nanoseconds retention_raw{0}, retention_5m{0}, retention_1h{0};
  FlagSet::Content retention_rules;
  std::int64_t max_level = kMaxLevel;
  std::int64_t meta_concurrency = 32;
  std::int64_t files_concurrency = 1;
  std::int64_t concurrency = 1;
  std::int64_t fetch_concurrency = 1;
  std::int64_t downsample_concurrency = 1;
  std::uint64_t max_index_bytes = 64ULL << 30;
  std::string discovery = "concurrent";
  std::string function;
  std::string hash;
  bool wait = false;
  bool disable_downsampling = false;
  bool disable_web = false;
  bool debug_halt = true;
  bool accept_malformed_index = false;
  bool skip_out_of_order = false;

  void AddFlags(FlagSet& flags);
  void AddQueueFlags(FlagSet& flags);
  void AddMergeFlags(FlagSet& flags);
  void AddBucketFlags(FlagSet& flags);
  void AddRetentionFlags(FlagSet& flags);
  void AddWebFlags(FlagSet& flags);
  Status Finish();
  Status CheckRetention() const;
  Status AddRoutes(Service& running, compact::Compactor& compactor, objstore::Bucket& bucket,
                   const FlagSet& flags);
  int Run(const GlobalOptions& global, const FlagSet& flags);
  int RunLoop(Service& running, compact::Compactor& compactor) const;
  int RunOnce(Service& running, compact::Compactor& compactor) const;
};

// Unlike that of any other process: a container's host name and process id may come again.
std::string MakeOwner() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return std::string(host.data()) + "-" + std::to_string(::getpid()) + "-" +
         model::UlidGenerator().Next().ToString();
}

std::chrono::milliseconds Milliseconds(Nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

void CompactCommand::AddQueueFlags(FlagSet& flags) {
  flags.Group("Compactor");
  flags.String(
      {"data-dir", "Directory for metas and for blocks that are being made; can be lost.", "DIR"},
      &options.data_dir);
  flags.Bool({"wait", "Go on when all is done, and look again after --wait-interval.", "VALUE",
              Visibility::kShown, 'w'},
             &wait);
  flags.GoDuration({"wait-interval", "How long each queue rests before it looks again."},
                   &options.wait_interval);
  flags.Int({"compact.concurrency", "Groups that are compacted at once, each with a core."},
            &concurrency);
  flags.Int({"downsample.concurrency", "Blocks that are made coarser at once, each with a core."},
            &downsample_concurrency);
  flags.Bytes({"compact.scratch-size",
               "Most bytes below --data-dir that blocks in the making may take together; what does "
               "not fit beside others waits for them. 0: no limit.",
               "BYTES"},
              &options.scratch_size_bytes);
  flags.GoDuration({"compact.cleanup-interval",
                    "How often marked blocks are deleted, beside all other work; 0: as often as "
                    "--wait-interval."},
                   &options.cleanup_interval);
  flags.GoDuration({"compact.progress-interval",
                    "How often what lies ahead is counted for the metrics; 0: never."},
                   &options.progress_interval);
  flags.Bool({"compact.halt-on-error",
              "Stop all work at the first block that is wrong, as Thanos does. Without it that "
              "block is marked and named, and the others go on."},
             &options.halt_on_error);
  flags.Bool({"debug.halt-on-error", "Accepted for compatibility: see --compact.halt-on-error.",
              "VALUE", Visibility::kHidden},
             &debug_halt);
}

void CompactCommand::AddMergeFlags(FlagSet& flags) {
  flags.Group("Merging and downsampling");
  flags.Bool({"downsampling.disable",
              "Make no copies of 5 minutes and 1 hour: queries over long times become slow."},
             &disable_downsampling);
  flags.Strings(
      {"deduplication.replica-label",
       "External label that tells replicas apart: they are merged for good, and the label "
       "goes. Implies --compact.enable-vertical-compaction. Can't be undone.",
       "NAME"},
      &options.replica_labels);
  flags.Enum({"deduplication.func",
              "What becomes of replicas: `` keeps all samples of both, for writers that send the "
              "same samples twice; `penalty` keeps one at a time, as Thanos does; `adaptive` too, "
              "with gaps filled and no false resets, as the querier does."},
             {"", "penalty", "adaptive"}, &function);
  flags.Bool({"compact.enable-vertical-compaction",
              "Merge blocks that overlap in time. Without it they are named and left alone.",
              "VALUE", Visibility::kHidden},
             &options.vertical);
  flags.Bytes(
      {"compact.block-max-index-size",
       "Most bytes of the index of a block that is made; blocks with larger ones are marked.",
       "BYTES", Visibility::kHidden},
      &max_index_bytes);
  flags.Int({"debug.max-compaction-level",
             "Up to which of 1 h, 2 h, 8 h, 2 d, 14 d blocks are merged: 0 to 4.", "N",
             Visibility::kHidden},
            &max_level);
  flags.Bool({"compact.skip-block-with-out-of-order-chunks",
              "Accepted for compatibility: such chunks are put in order in the block that is made.",
              "VALUE", Visibility::kHidden},
             &skip_out_of_order);
  flags.Bool(
      {"debug.accept-malformed-index", "Accepted for compatibility: what can be mended is mended.",
       "VALUE", Visibility::kHidden},
      &accept_malformed_index);
}

void CompactCommand::AddBucketFlags(FlagSet& flags) {
  flags.Group("Blocks");
  flags.GoDuration({"consistency-delay",
                    "Age that a block must have, but for those of compactors; for stores whose "
                    "listings lag behind."},
                   &options.consistency_delay);
  flags.Enum({"block-discovery-strategy",
              "How blocks are found: `concurrent` lists the root and asks for each meta.json, "
              "`recursive` lists everything."},
             {"concurrent", "recursive"}, &discovery);
  flags.Int({"block-meta-fetch-concurrency", "How many meta.json are read at once."},
            &meta_concurrency);
  flags.Int({"block-files-concurrency", "How many files of a block are uploaded at once."},
            &files_concurrency);
  flags.Int({"compact.blocks-fetch-concurrency",
             "Accepted for compatibility: blocks are streamed, not downloaded."},
            &fetch_concurrency);
  flags.Enum({"hash-func", "Hash of each file that is recorded in meta.json; empty: none."},
             {"", "SHA256"}, &hash);
  flags.Time({"min-time",
              "Oldest block that is looked at: RFC 3339, or a duration before now such as -6w."},
             &options.min_time, "0000-01-01T00:00:00Z");
  flags.Time({"max-time",
              "Newest block that is looked at: RFC 3339, or a duration before now such as -2h."},
             &options.max_time, "9999-12-31T23:59:59Z");
  AddBlockSelector(flags, &selector_relabel);
}

void CompactCommand::AddRetentionFlags(FlagSet& flags) {
  flags.Group("Retention");
  flags.PrometheusDuration({"retention.resolution-raw",
                            "How long raw blocks are kept; 0d: for ever. One whose 5-minute copy "
                            "is still to be made waits for it."},
                           &retention_raw);
  flags.PrometheusDuration(
      {"retention.resolution-5m", "How long blocks of 5 minutes are kept; 0d: for ever."},
      &retention_5m);
  flags.PrometheusDuration(
      {"retention.resolution-1h", "How long blocks of 1 hour are kept; 0d: for ever."},
      &retention_1h);
  flags.ContentPair({"retention.config",
                     "Other times for blocks whose external labels match: a list of {matchers, "
                     "raw, 5m, 1h} in YAML.",
                     "YAML"},
                    &retention_rules);
  flags.PrometheusDuration({"delete-delay",
                            "How long a block that is marked for deletion stays, so that every "
                            "reader sees what replaces "
                            "it first."},
                           &options.delete_delay);
}

void CompactCommand::AddWebFlags(FlagSet& flags) {
  web.Add(flags);
  flags.String({"web.route-prefix", "Accepted for compatibility: the API is at the root.", "PATH"},
               &route_prefix);
  flags.Bool({"web.disable", "Serve no pages, and no API about the blocks and the work."},
             &disable_web);
  flags.String({"bucket-web-label",
                "External label by which pages group blocks; empty: all of them.", "NAME"},
               &api.label);
  flags.Bool({"disable-admin-operations", "Put no marks beside blocks over the API."},
             &api.disable_admin_operations);
  flags.GoDuration({"block-viewer.global.sync-block-interval",
                    "How often the API's view of all blocks is refreshed."},
                   &options.view_interval);
  flags.GoDuration({"block-viewer.global.sync-block-timeout", "How long that may take."},
                   &options.view_timeout);
}

void CompactCommand::AddFlags(FlagSet& flags) {
  AddHttpFlags(flags, &service);
  object_storage.Add(flags);
  AddQueueFlags(flags);
  AddMergeFlags(flags);
  AddRetentionFlags(flags);
  AddBucketFlags(flags);
  AddWebFlags(flags);
}

// A block must live long enough for its copy to be made.
Status CompactCommand::CheckRetention() const {
  if (disable_downsampling) return OkStatus();
  struct Check {
    const char* flag;
    Nanoseconds value;
    std::chrono::milliseconds least;
  };
  for (const auto& [flag, value, least] :
       {Check{"retention.resolution-raw", retention_raw,
              std::chrono::milliseconds(compaction::kDownsampleTo5mRange)},
        Check{"retention.resolution-5m", retention_5m,
              std::chrono::milliseconds(compaction::kDownsampleTo1hRange)}}) {
    if (value.count() != 0 && value < least) {
      return InvalidArgument(
          "--{}: must be 0 or at least {}, the length from which on blocks are downsampled, got {}",
          flag, FormatPrometheusDuration(least), FormatPrometheusDuration(value));
    }
  }
  return OkStatus();
}

Status CompactCommand::Finish() {
  struct Positive {
    const char* flag;
    std::int64_t value;
  };
  for (const auto& [flag, value] :
       {Positive{"compact.concurrency", concurrency},
        Positive{"downsample.concurrency", downsample_concurrency},
        Positive{"block-meta-fetch-concurrency", meta_concurrency},
        Positive{"block-files-concurrency", files_concurrency},
        Positive{"compact.blocks-fetch-concurrency", fetch_concurrency}}) {
    if (value < 1) return InvalidArgument("--{}: must be at least 1, got {}", flag, value);
  }
  if (max_level < 0 || max_level > kMaxLevel)
    return InvalidArgument("--debug.max-compaction-level: must be 0 to {}, got {}", kMaxLevel,
                           max_level);
  if (wait && options.wait_interval.count() <= 0)
    return InvalidArgument("--wait-interval: must be more than 0");
  RETURN_IF_ERROR(CheckRetention());
  ASSIGN_OR_RETURN(options.selector, ReadSelector(selector_relabel));
  options.concurrency = static_cast<std::size_t>(concurrency);
  options.downsample_concurrency = static_cast<std::size_t>(downsample_concurrency);
  options.meta_fetch_concurrency = static_cast<std::size_t>(meta_concurrency);
  options.files_concurrency = static_cast<std::size_t>(files_concurrency);
  options.levels = static_cast<std::size_t>(max_level) + 1;
  options.max_index_bytes =
      static_cast<std::int64_t>(std::min<std::uint64_t>(max_index_bytes, INT64_MAX));
  options.retention.keep = {Milliseconds(retention_raw), Milliseconds(retention_5m),
                            Milliseconds(retention_1h)};
  ASSIGN_OR_RETURN(const std::string rules,
                   ReadContent(retention_rules, /*expand_environment=*/false));
  auto parsed = compaction::ParseRetentionRules(rules);
  if (!parsed.ok()) return Annotate(parsed.status(), "--retention.config");
  options.retention.rules = *std::move(parsed);
  options.downsampling = !disable_downsampling;
  options.vertical = options.vertical || !options.replica_labels.empty();
  options.discovery =
      discovery == "recursive" ? block::Discovery::kRecursive : block::Discovery::kConcurrent;
  options.hash = hash.empty() ? block::HashFunction::kNone : block::HashFunction::kSha256;
  if (function == "penalty") options.function = compaction::MergeFunction::kPenalty;
  if (function == "adaptive") options.function = compaction::MergeFunction::kAdaptive;
  options.leases.owner = MakeOwner();
  return OkStatus();
}

Status CompactCommand::AddRoutes(Service& running, compact::Compactor& compactor,
                                 objstore::Bucket& bucket, const FlagSet& flags) {
  ASSIGN_OR_RETURN(const net::ApiRoutesOptions routes_options, web.Read());
  if (!wait || disable_web) return OkStatus();
  api.loaded = [&compactor] { return compactor.loaded(); };
  api.global = [&compactor] { return compactor.global(); };
  net::ApiRoutes routes(running.http(), routes_options, running.logger());
  block::AddBlocksRoutes(routes, api, bucket, running.logger());
  compactor.AddRoutes(routes);
  AddComponentRoutes(routes, flags.Values());
  return web::AddPages(running.http(), {.component = web::Component::kCompact,
                                        .prefix = routes_options.prefix,
                                        .admin_operations = !api.disable_admin_operations});
}

int CompactCommand::RunLoop(Service& running, compact::Compactor& compactor) const {
  return running.Run(
      [&] {
        compactor.Start();
        running.probe().SetReady();
        return OkStatus();
      },
      [&] { compactor.Stop(); });
}

int CompactCommand::RunOnce(Service& running, compact::Compactor& compactor) const {
  CancelScope scope(Context::Background());
  std::thread thread;
  return running.Run(
      [&] {
        running.probe().SetReady();
        thread = std::thread([&] {
          const Status status = compactor.RunOnce(scope.context());
          if (!scope.context().cancelled()) running.End(status);
        });
        return OkStatus();
      },
      [&] {
        scope.Cancel();
        if (thread.joinable()) thread.join();
      });
}

int CompactCommand::Run(const GlobalOptions& global, const FlagSet& flags) {
  const Logger logger = MakeLogger(global).With("component", "compact");
  const auto fail = [&](const Status& status) {
    logger.Error("can't start", {{"err", status}});
    return kExitFailure;
  };
  if (const Status status = Finish(); !status.ok()) return fail(status);
  if (const Status status = LoadTracing(global, "compact", logger, &service); !status.ok())
    return fail(status);
  service.has_grpc = false;
  Service running("compact", service, logger);
  const auto bucket = object_storage.OpenRequired(*running.metrics());
  if (!bucket.ok()) return fail(bucket.status());
  compact::Compactor compactor(options, *bucket, compact::BlockWork::Real(), logger,
                               *running.metrics());
  if (const Status status = AddRoutes(running, compactor, **bucket, flags); !status.ok())
    return fail(status);
  return wait ? RunLoop(running, compactor) : RunOnce(running, compactor);
}

}  // namespace

Runner AddCompactCommand(CLI::App& app) {
  const auto command = std::make_shared<CompactCommand>();
  const auto flags = std::make_shared<FlagSet>(app);
  command->AddFlags(*flags);
  return [command, flags](const GlobalOptions& global) { return command->Run(global, *flags); };
}

}  // namespace aevum::cli
