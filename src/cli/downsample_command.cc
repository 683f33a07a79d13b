// aevum tools bucket downsample: once, or again and again.
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/bucket_commands.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/one_shot.h"
#include "cli/service.h"
#include "tools/downsample_bucket.h"

namespace aevum::cli {
namespace {

struct DownsampleCommand {
  ServiceOptions service;
  Nanoseconds wait_interval = std::chrono::minutes(5);
  std::int64_t concurrency = 1;
  std::int64_t file_concurrency = 1;
  std::string hash;
  tools::DownsampleBucketOptions options;

  void AddFlags(FlagSet& flags);
  Status Finish();
  // One run, without a server.
  Status RunOnce(const OneShot& shot, const ObjectStorageFlags& storage);
  int RunOn(const GlobalOptions& global, const ObjectStorageFlags& storage);
};

void DownsampleCommand::AddFlags(FlagSet& flags) {
  AddHttpFlags(flags, &service);
  flags.Group("Downsampling");
  flags.GoDuration({"wait-interval",
                    "Look at the bucket again after this time, until stopped. Without the flag the "
                    "command ends when there is nothing left to do."},
                   &wait_interval);
  flags.Int({"downsample.concurrency", "Blocks that are downsampled at once."}, &concurrency);
  flags.Int({"block-files-concurrency", "Files of a block that are uploaded at once."},
            &file_concurrency);
  flags.String({"data-dir", "Directory in which new blocks lie until they are uploaded.", "DIR"},
               &options.data_directory);
  flags.Enum({"hash-func", "Hash of each file to note in meta.json."}, {"SHA256", ""}, &hash);
}

Status DownsampleCommand::Finish() {
  const auto read = [](std::string_view flag, std::int64_t value, std::size_t* out) -> Status {
    if (value < 1) return InvalidArgument("{}: must be at least 1, got {}", flag, value);
    *out = static_cast<std::size_t>(value);
    return OkStatus();
  };
  RETURN_IF_ERROR(read("--downsample.concurrency", concurrency, &options.concurrency));
  RETURN_IF_ERROR(read("--block-files-concurrency", file_concurrency, &options.file_concurrency));
  if (!hash.empty()) options.hash = block::HashFunction::kSha256;
  return OkStatus();
}

Status DownsampleCommand::RunOnce(const OneShot& shot, const ObjectStorageFlags& storage) {
  RETURN_IF_ERROR(Finish());
  ASSIGN_OR_RETURN(const auto bucket, storage.OpenRequired(*shot.metrics));
  tools::BucketDownsampler downsampler(options, *bucket, *shot.progress, shot.logger,
                                       *shot.metrics);
  return downsampler.Run(shot.context);
}

int DownsampleCommand::RunOn(const GlobalOptions& global, const ObjectStorageFlags& storage) {
  const Logger logger = MakeLogger(global).With("component", "downsample");
  const auto fail = [&](const Status& status) {
    logger.Error("can't start", {{"err", status}});
    return kExitFailure;
  };
  if (const Status status = Finish(); !status.ok()) return fail(status);
  if (const Status status = LoadTracing(global, "downsample", logger, &service); !status.ok())
    return fail(status);
  service.has_grpc = false;
  Service running("downsample", service, logger);
  const auto bucket = storage.OpenRequired(*running.metrics());
  if (!bucket.ok()) return fail(bucket.status());
  tools::ProgressBar silent("", nullptr);
  tools::BucketDownsampler downsampler(options, **bucket, silent, logger, *running.metrics());
  CancelScope scope(Context::Background());
  std::thread thread;
  return running.Run(
      [&] {
        thread = std::thread([&] { downsampler.RunAgainAndAgain(scope.context(), wait_interval); });
        running.probe().SetReady();
        return OkStatus();
      },
      [&] {
        scope.Cancel();
        if (thread.joinable()) thread.join();
      });
}

}  // namespace

Command AddDownsampleCommand(CLI::App& bucket, std::shared_ptr<const ObjectStorageFlags> storage) {
  CLI::App* app =
      bucket.add_subcommand("downsample", "Makes the coarse blocks that the bucket still lacks.");
  const auto command = std::make_shared<DownsampleCommand>();
  FlagSet flags(*app);
  command->AddFlags(flags);
  return {app, [app, command, storage = std::move(storage)](const GlobalOptions& global) {
            if (app->count("--wait-interval") > 0) return command->RunOn(global, *storage);
            return RunOneShot(global, "bucket downsample", [&](const OneShot& shot) {
              return command->RunOnce(shot, *storage);
            });
          }};
}

}  // namespace aevum::cli
