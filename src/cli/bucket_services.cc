// aevum tools bucket replicate and web: the tools that run on.
#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>

#include "block/blocks_api.h"
#include "cli/bucket_commands.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/one_shot.h"
#include "cli/service.h"
#include "cli/web_flags.h"
#include "promql/parser.h"
#include "tools/bucket_viewer.h"
#include "tools/replicate.h"
#include "web/pages.h"

namespace aevum::cli {
namespace {

// How long a replication waits between two looks at the source.
constexpr std::chrono::minutes kReplicateInterval{1};

struct ReplicateCommand {
  ServiceOptions service;
  ObjectStorageFlags to{"objstore-to", "the bucket that is copied to"};
  BlockTimeFlags times;
  std::vector<Nanoseconds> resolutions = {std::chrono::seconds(0), std::chrono::minutes(5),
                                          std::chrono::hours(1)};
  std::int64_t compaction_min = 1;
  std::int64_t compaction_max = 4;
  std::vector<std::int64_t> compactions;
  std::vector<std::string> ids;
  std::string matcher;
  bool single_run = false;
  tools::ReplicateOptions options;

  void AddFlags(FlagSet& flags);
  Status Finish();
  // One pass, without a server.
  Status RunOnce(const OneShot& shot, const ObjectStorageFlags& from);
  int Run(const GlobalOptions& global, const ObjectStorageFlags& from);
};

void ReplicateCommand::AddFlags(FlagSet& flags) {
  AddHttpFlags(flags, &service);
  to.Add(flags);
  flags.Group("Blocks");
  flags.GoDurations({"resolution", "Copy blocks of this resolution; may be repeated."},
                    &resolutions);
  flags.Int({"compaction-min", "Lowest compaction level that is copied."}, &compaction_min);
  flags.Int({"compaction-max", "Highest compaction level that is copied."}, &compaction_max);
  flags.Ints({"compaction",
              "Copy blocks of this compaction level, in place of the range; may be repeated."},
             &compactions);
  flags.String(
      {"matcher", "Copy blocks whose external labels match, such as '{cluster=~\"eu.*\"}'.",
       "SELECTOR"},
      &matcher);
  times.Add(flags);
  flags.Strings(
      {"id", "Copy this block, whatever the flags above say, and end; may be repeated.", "ULID"},
      &ids);
  flags.Bool({"ignore-marked-for-deletion", "Leave out blocks that are marked for deletion."},
             &options.ignore_marked_for_deletion);
  flags.Bool({"single-run", "Copy once and end, in place of each minute."}, &single_run);
}

Status ReplicateCommand::Finish() {
  options.resolutions_ms.clear();
  for (const Nanoseconds resolution : resolutions)
    options.resolutions_ms.insert(
        std::chrono::duration_cast<std::chrono::milliseconds>(resolution).count());
  options.compaction_levels = {compactions.begin(), compactions.end()};
  if (compactions.empty()) {
    constexpr std::int64_t kMostLevels = 1000;
    if (compaction_min > compaction_max || compaction_min < 0 || compaction_max > kMostLevels) {
      return InvalidArgument("--compaction-min and --compaction-max: not a range: {} to {}",
                             compaction_min, compaction_max);
    }
    for (std::int64_t level = compaction_min; level <= compaction_max; ++level)
      options.compaction_levels.insert(level);
  }
  if (!matcher.empty()) {
    // Braces may be left out.
    auto matchers = promql::ParseSelector(
        matcher.find('{') == std::string::npos ? "{" + matcher + "}" : matcher);
    if (!matchers.ok()) return Annotate(matchers.status(), "--matcher");
    options.matchers = *std::move(matchers);
  }
  options.min_time = times.min_time;
  options.max_time = times.max_time;
  ASSIGN_OR_RETURN(options.ids, ReadUlids(ids));
  return OkStatus();
}

Status ReplicateCommand::RunOnce(const OneShot& shot, const ObjectStorageFlags& from) {
  RETURN_IF_ERROR(Finish());
  shot.logger.Info("loading bucket configuration");
  ASSIGN_OR_RETURN(const auto source, from.OpenRequired(*shot.metrics, {{"replicate", "from"}}));
  ASSIGN_OR_RETURN(const auto target, to.OpenRequired(*shot.metrics, {{"replicate", "to"}}));
  tools::Replicator replicator(options, *source, *target, *shot.progress, shot.logger,
                               *shot.metrics);
  return replicator.Run(shot.context);
}

int ReplicateCommand::Run(const GlobalOptions& global, const ObjectStorageFlags& from) {
  if (single_run || !ids.empty()) {
    return RunOneShot(global, "bucket replicate",
                      [&](const OneShot& shot) { return RunOnce(shot, from); });
  }
  const Logger logger = MakeLogger(global).With("component", "replicate");
  const auto fail = [&](const Status& status) {
    logger.Error("can't start", {{"err", status}});
    return kExitFailure;
  };
  if (const Status status = Finish(); !status.ok()) return fail(status);
  if (const Status status = LoadTracing(global, "replicate", logger, &service); !status.ok())
    return fail(status);
  service.has_grpc = false;
  Service running("replicate", service, logger);
  const auto source = from.OpenRequired(*running.metrics(), {{"replicate", "from"}});
  if (!source.ok()) return fail(source.status());
  const auto target = to.OpenRequired(*running.metrics(), {{"replicate", "to"}});
  if (!target.ok()) return fail(target.status());
  tools::ProgressBar silent("", nullptr);
  tools::Replicator replicator(options, **source, **target, silent, logger, *running.metrics());
  CancelScope scope(Context::Background());
  std::thread thread;
  return running.Run(
      [&] {
        thread =
            std::thread([&] { replicator.RunAgainAndAgain(scope.context(), kReplicateInterval); });
        running.probe().SetReady();
        return OkStatus();
      },
      [&] {
        scope.Cancel();
        if (thread.joinable()) thread.join();
      });
}

struct WebCommand {
  ServiceOptions service;
  WebFlags web{WebFlags::Routes::kPrefixed};
  FlagSet::Content selector;
  BlockTimeFlags times;
  tools::BucketViewerOptions options;
  block::BlocksApiOptions api;

  void AddFlags(FlagSet& flags);
  int Run(const GlobalOptions& global, const FlagSet& flags, const ObjectStorageFlags& storage);
};

void WebCommand::AddFlags(FlagSet& flags) {
  AddHttpFlags(flags, &service);
  web.Add(flags);
  flags.Group("Blocks");
  flags.GoDuration({"refresh", "How often the bucket is looked at."}, &options.refresh);
  flags.GoDuration({"timeout", "How long one look may take."}, &options.timeout);
  flags.String({"label", "External label by which pages group blocks; empty: all of them.", "NAME"},
               &api.label);
  flags.Bool({"disable-admin-operations", "Put no marks beside blocks over the API."},
             &api.disable_admin_operations);
  times.Add(flags);
  AddBlockSelector(flags, &selector);
}

int WebCommand::Run(const GlobalOptions& global, const FlagSet& flags,
                    const ObjectStorageFlags& storage) {
  const Logger logger = MakeLogger(global).With("component", "bucket");
  const auto fail = [&](const Status& status) {
    logger.Error("can't start", {{"err", status}});
    return kExitFailure;
  };
  const auto routes_options = web.Read();
  if (!routes_options.ok()) return fail(routes_options.status());
  auto rules = ReadSelector(selector);
  if (!rules.ok()) return fail(rules.status());
  options.selector = *std::move(rules);
  options.min_time = times.min_time;
  options.max_time = times.max_time;
  if (const Status status = LoadTracing(global, "bucket", logger, &service); !status.ok())
    return fail(status);
  service.has_grpc = false;
  Service running("bucket", service, logger);
  const auto bucket = storage.OpenRequired(*running.metrics());
  if (!bucket.ok()) return fail(bucket.status());
  tools::BucketViewer viewer(options, **bucket, logger, *running.metrics());
  api.global = [&] { return viewer.view(); };
  net::ApiRoutes routes(running.http(), *routes_options, logger);
  block::AddBlocksRoutes(routes, api, **bucket, logger);
  auto shown = flags.Values();
  for (auto& flag : storage.Values()) shown.push_back(std::move(flag));
  std::sort(shown.begin(), shown.end());
  AddComponentRoutes(routes, std::move(shown));
  const Status pages =
      web::AddPages(running.http(), {.component = web::Component::kBucketViewer,
                                     .prefix = routes_options->prefix,
                                     .admin_operations = !api.disable_admin_operations});
  if (!pages.ok()) return fail(pages);
  return running.Run(
      [&] {
        viewer.Start();
        running.probe().SetReady();
        return OkStatus();
      },
      [&] { viewer.Stop(); });
}

}  // namespace

Command AddReplicateCommand(CLI::App& bucket, std::shared_ptr<const ObjectStorageFlags> storage) {
  CLI::App* app =
      bucket.add_subcommand("replicate", "Copies blocks to another bucket, once or all the time.");
  const auto command = std::make_shared<ReplicateCommand>();
  FlagSet flags(*app);
  command->AddFlags(flags);
  return {app, [command, storage = std::move(storage)](const GlobalOptions& global) {
            return command->Run(global, *storage);
          }};
}

Command AddWebCommand(CLI::App& bucket, std::shared_ptr<const ObjectStorageFlags> storage) {
  CLI::App* app =
      bucket.add_subcommand("web", "Serves pages and an API about the blocks of a bucket.");
  const auto command = std::make_shared<WebCommand>();
  const auto flags = std::make_shared<FlagSet>(*app);
  command->AddFlags(*flags);
  return {app, [command, flags, storage = std::move(storage)](const GlobalOptions& global) {
            return command->Run(global, *flags, *storage);
          }};
}

}  // namespace aevum::cli
