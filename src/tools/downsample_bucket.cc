#include "tools/downsample_bucket.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "base/pause.h"
#include "block/filters.h"
#include "block/marks.h"
#include "compaction/downsample.h"
#include "objstore/parallel.h"
#include "tools/bucket_blocks.h"

namespace aevum::tools {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {60,    300,   900,   1800,  3600,  7200,
                                                          14400, 28800, 57600, 86400, 172800};

// What the meta says that the segments take; 0 when it does not tell.
std::int64_t SegmentBytes(const block::Meta& meta) {
  std::int64_t bytes = 0;
  for (const block::BlockFile& file : meta.files)
    if (file.path.starts_with(block::kChunksDirectory))
      bytes += std::max<std::int64_t>(file.size_bytes, 0);
  return bytes;
}

// Empties a directory, which belongs to us.
Status Empty(const std::string& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (!error) std::filesystem::create_directories(directory, error);
  if (error) return Unavailable("can't make the directory {}: {}", directory, error.message());
  return OkStatus();
}

}  // namespace

BucketDownsampler::BucketDownsampler(DownsampleBucketOptions options, objstore::Bucket& bucket,
                                     ProgressBar& progress, Logger logger,
                                     prometheus::Registry& metrics, const Clock& clock)
    : options_(std::move(options)),
      bucket_(bucket),
      progress_(progress),
      logger_(std::move(logger)),
      clock_(clock),
      fetcher_(MakeMetaReader(bucket, kMetaConcurrency, logger_, metrics, "thanos_blocks_meta"),
               {std::make_shared<block::DeletionMarkFilter>(block::DeletionMarkFilter::Options{},
                                                            bucket, logger_, clock),
                std::make_shared<block::DuplicateFilter>()},
               logger_, metrics),
      pool_("downsample", std::max<std::size_t>(options_.concurrency, 1), 1024) {
  auto& blocks = prometheus::BuildCounter()
                     .Name("thanos_compact_downsample_total")
                     .Help("Blocks that were downsampled.")
                     .Register(metrics);
  auto& failures = prometheus::BuildCounter()
                       .Name("thanos_compact_downsample_failures_total")
                       .Help("Blocks that could not be downsampled.")
                       .Register(metrics);
  auto& seconds = prometheus::BuildHistogram()
                      .Name("thanos_compact_downsample_duration_seconds")
                      .Help("How long a block took.")
                      .Register(metrics);
  for (const std::int64_t resolution : {compaction::kResolution5m, compaction::kResolution1h}) {
    const prometheus::Labels labels = {{"resolution", std::to_string(resolution)}};
    metrics_[resolution] = {&blocks.Add(labels), &failures.Add(labels),
                            &seconds.Add(labels, kSeconds)};
  }
}

StatusOr<std::set<model::Ulid>> BucketDownsampler::MarkedBlocks(const Context& context,
                                                                const block::MetaMap& metas) {
  std::set<model::Ulid> marked;
  for (const compaction::DownsampleTask& task : compaction::BlocksToDownsample(metas, {})) {
    const model::Ulid& id = task.meta->ulid;
    const StatusOr<block::Mark> mark =
        block::ReadMark(context, bucket_, block::MarkKind::kNoDownsample, id);
    if (mark.ok()) {
      logger_.Info("a block is marked not to be downsampled",
                   {{"block", id.ToString()}, {"details", mark->details}});
    } else if (mark.status().code() == StatusCode::kDataLoss) {
      // Somebody wanted it to be one.
      logger_.Warn("a mark can't be read and is taken for one", {{"err", mark.status()}});
    } else if (objstore::IsNotFound(mark.status())) {
      continue;
    } else {
      return mark.status();
    }
    marked.insert(id);
  }
  return marked;
}

Status BucketDownsampler::Downsample(const Context& context, const compaction::DownsampleTask& task,
                                     const std::string& directory) {
  const std::string id = task.meta->ulid.ToString();
  const auto began = std::chrono::steady_clock::now();
  const std::int64_t expected = SegmentBytes(*task.meta);
  std::int64_t done = 0;
  // Never beyond what was expected: what stands around chunks is not told.
  const auto advance = [&](std::int64_t in_all) {
    const std::int64_t step = std::clamp<std::int64_t>(in_all - done, 0, expected - done);
    done += step;
    progress_.Advance(step);
  };
  compaction::DownsampleOptions options;
  options.progress = [&](std::uint64_t bytes) { advance(static_cast<std::int64_t>(bytes)); };
  options.clock = &clock_;
  const compaction::BlockPlace place = {&bucket_, task.meta->ulid, ""};
  StatusOr<compaction::DownsampledBlock> made = compaction::DownsampleBlock(
      context, *task.meta, place, task.resolution_ms, options, directory);
  advance(expected);
  if (!made.ok()) return Annotate(made.status(), "block " + id);
  const Status uploaded = block::UploadBlock(
      context, bucket_, made->directory, made->meta,
      {.hash = options_.hash, .concurrency = options_.file_concurrency, .clock = &clock_});
  std::error_code ignored;  // the run empties the directory in the end
  std::filesystem::remove_all(made->directory, ignored);
  if (!uploaded.ok()) return Annotate(uploaded, "upload of what block " + id + " became");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  metrics_.at(task.resolution_ms).seconds->Observe(took.count());
  logger_.Info("downsampled block", {{"from", id},
                                     {"to", made->meta.ulid.ToString()},
                                     {"resolution", task.resolution_ms},
                                     {"samples", made->meta.stats.samples},
                                     {"seconds", took.count()}});
  return OkStatus();
}

Status BucketDownsampler::RunPass(const Context& context, std::set<model::Ulid>* failed) {
  ASSIGN_OR_RETURN(const auto fetched, fetcher_.Fetch(context));
  RETURN_IF_ERROR(fetched->complete);
  ASSIGN_OR_RETURN(std::set<model::Ulid> skipped, MarkedBlocks(context, fetched->metas));
  skipped.insert(failed->begin(), failed->end());
  const auto tasks = compaction::BlocksToDownsample(fetched->metas, skipped);
  for (const compaction::DownsampleTask& task : tasks) progress_.Expect(SegmentBytes(*task.meta));
  const std::string directory = options_.data_directory + "/downsample";
  RETURN_IF_ERROR(Empty(directory));
  Mutex mutex;  // guards `failed`
  const Status status = objstore::RunParallel(
      &pool_, tasks.size(), std::max<std::size_t>(options_.concurrency, 1), [&](std::size_t i) {
        RETURN_IF_ERROR(context.status());
        const compaction::DownsampleTask& task = tasks[i];
        const Status done = Downsample(context, task, directory);
        RETURN_IF_ERROR(context.status());
        const Metrics& metrics = metrics_.at(task.resolution_ms);
        metrics.blocks->Increment();
        if (done.ok()) return OkStatus();
        metrics.failures->Increment();
        logger_.Error("a block can't be downsampled", {{"err", done}});
        const MutexLock lock(mutex);
        failed->insert(task.meta->ulid);
        return OkStatus();
      });
  std::error_code ignored;  // the next run does it
  std::filesystem::remove_all(directory, ignored);
  return status;
}

Status BucketDownsampler::Run(const Context& context) {
  std::set<model::Ulid> failed;
  for (const char* pass : {"first", "second"}) {
    logger_.Info(fmt::format("start {} pass of downsampling", pass));
    RETURN_IF_ERROR(RunPass(context, &failed));
  }
  if (!failed.empty())
    return Unavailable("blocks that could not be downsampled: {}; the log names them",
                       failed.size());
  logger_.Info("downsampling done");
  return OkStatus();
}

void BucketDownsampler::RunAgainAndAgain(const Context& context, Nanoseconds interval) {
  while (context.status().ok()) {
    const Status status = Run(context);
    if (!context.status().ok()) return;
    if (!status.ok()) logger_.Error("downsampling failed", {{"err", status}});
    if (!Pause(context, interval).ok()) return;
  }
}

}  // namespace aevum::tools
