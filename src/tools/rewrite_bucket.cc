#include "tools/rewrite_bucket.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/output_file.h"
#include "block/marks.h"
#include "compaction/rewrite.h"

namespace aevum::tools {
namespace {

namespace fs = std::filesystem;

// What compaction::RewriteBlock calls its scratch, before the ULID.
constexpr std::string_view kRelabelPrefix = "relabel-";

Status Prepare(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return Unavailable("can't make the directory {}: {}", directory, error.message());
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(directory));
  for (const std::string& name : names) {
    std::string_view block = name;
    if (block.starts_with(kRelabelPrefix)) block.remove_prefix(kRelabelPrefix.size());
    if (!model::Ulid::Parse(block).ok()) continue;
    fs::remove_all(directory + "/" + name, error);
    if (error) return Unavailable("can't remove {}/{}: {}", directory, name, error.message());
  }
  return OkStatus();
}

class BlockRewriter {
 public:
  BlockRewriter(objstore::Bucket& bucket, const RewriteBucketOptions& options,
                ProgressBar& progress, const Logger& logger, const Clock& clock)
      : bucket_(bucket), options_(options), progress_(progress), logger_(logger), clock_(clock) {}

  Status Rewrite(const Context& context, const model::Ulid& id) {
    ASSIGN_OR_RETURN(const compaction::MergeInput input, Find(context, id));
    compaction::RewriteOptions rewrite;
    rewrite.deletions = options_.deletions;
    if (!options_.relabeler.empty()) rewrite.relabeler = &options_.relabeler;
    rewrite.clock = &clock_;
    const std::int64_t expected = SegmentBytes(input.meta);
    std::int64_t done = 0;
    progress_.Expect(expected);
    rewrite.progress = [&](std::uint64_t bytes) {
      const auto in_all = std::min(static_cast<std::int64_t>(bytes), expected);
      progress_.Advance(in_all - done);
      done = in_all;
    };
    if (options_.dry_run) return Measure(context, input, rewrite);
    return Write(context, input, rewrite);
  }

 private:
  static std::int64_t SegmentBytes(const block::Meta& meta) {
    std::int64_t bytes = 0;
    for (const block::BlockFile& file : meta.files)
      if (file.path.starts_with(block::kChunksDirectory))
        bytes += std::max<std::int64_t>(file.size_bytes, 0);
    return bytes;
  }

  StatusOr<compaction::MergeInput> Find(const Context& context, const model::Ulid& id) {
    const std::string name = block::ObjectName(id, block::kMetaFile);
    ASSIGN_OR_RETURN(const std::string text, bucket_.Get(context, name, block::kMaxMetaBytes));
    auto meta = block::Meta::Parse(text);
    if (!meta.ok()) return Annotate(meta.status(), name);
    if (meta->ulid != id) return Corruption("{}: of the block {}", name, meta->ulid.ToString());
    if (meta->labels.empty() && !options_.without_labels) {
      return MakeError(
          StatusCode::kFailedPrecondition,
          fmt::format("block {} has no external labels; --prom-blocks allows that", id.ToString()));
    }
    compaction::MergeInput input;
    input.meta = *std::move(meta);
    input.place = {.bucket = &bucket_, .block = id, .directory = ""};
    return input;
  }

  void Log(const std::string& message, const model::Ulid& id,
           const compaction::RewriteStats& stats) const {
    logger_.Info(message, {{"block", id.ToString()},
                           {"series_changed", stats.series_changed},
                           {"series_dropped", stats.series_dropped},
                           {"samples_dropped", stats.samples_dropped},
                           {"chunk_bytes_dropped", stats.chunk_bytes_dropped}});
  }

  Status Measure(const Context& context, const compaction::MergeInput& input,
                 compaction::RewriteOptions& rewrite) {
    rewrite.change_log = [&](std::string_view line) {
      Status status;
      progress_.Around([&] { status = options_.report(std::string(line) + "\n"); });
      return status;
    };
    ASSIGN_OR_RETURN(const compaction::RewriteStats stats,
                     compaction::MeasureRewrite(context, input, rewrite));
    Log("what a rewrite would change", input.meta.ulid, stats);
    return OkStatus();
  }

  Status Write(const Context& context, const compaction::MergeInput& input,
               compaction::RewriteOptions& rewrite) {
    const model::Ulid& id = input.meta.ulid;
    const std::string log_path = options_.directory + "/" + id.ToString() + "/change.log";
    std::optional<OutputFile> log;
    if (options_.change_log) {
      ASSIGN_OR_RETURN(OutputFile file, OutputFile::Create(log_path));
      log.emplace(std::move(file));
      rewrite.change_log = [&](std::string_view line) {
        return log->Write(std::string(line) + "\n");
      };
    }
    ASSIGN_OR_RETURN(const compaction::RewriteResult result,
                     compaction::RewriteBlock(context, input, rewrite, options_.directory));
    if (!result.changed) {
      logger_.Info("nothing changes in a block", {{"block", id.ToString()}});
      return OkStatus();
    }
    if (log) {
      RETURN_IF_ERROR(log->Commit());
      if (!result.blocks.empty()) {
        std::error_code error;
        fs::rename(log_path, result.blocks.front().directory + "/change.log", error);
        if (error) return Unavailable("can't move {}: {}", log_path, error.message());
        fs::remove(fs::path(log_path).parent_path(), error);  // else the next run does it
      }
    }
    for (const compaction::MergedBlock& made : result.blocks) {
      RETURN_IF_ERROR(block::UploadBlock(
          context, bucket_, made.directory, made.meta,
          {.hash = options_.hash, .clock = &clock_, .without_labels = options_.without_labels}));
      logger_.Info("uploaded a rewritten block",
                   {{"from", id.ToString()}, {"to", made.meta.ulid.ToString()}});
    }
    Log("rewrote a block", id, result.stats);
    if (!options_.delete_originals) return OkStatus();
    block::Mark mark;
    mark.block = id;
    mark.details = "block rewritten";
    mark.time_seconds = clock_.NowMs() / 1000;
    return block::PutMark(context, bucket_, mark).status();
  }

  objstore::Bucket& bucket_;
  const RewriteBucketOptions& options_;
  ProgressBar& progress_;
  const Logger& logger_;
  const Clock& clock_;
};

}  // namespace

Status RewriteBlocks(const Context& context, objstore::Bucket& bucket,
                     const RewriteBucketOptions& options, ProgressBar& progress,
                     const Logger& logger, const Clock& clock) {
  if (options.deletions.empty() && options.relabeler.empty())
    return InvalidArgument("neither deletions nor rules of relabelling are given");
  if (!options.dry_run) RETURN_IF_ERROR(Prepare(options.directory));
  BlockRewriter rewriter(bucket, options, progress, logger, clock);
  for (const model::Ulid& id : options.blocks) RETURN_IF_ERROR(rewriter.Rewrite(context, id));
  return OkStatus();
}

}  // namespace aevum::tools
