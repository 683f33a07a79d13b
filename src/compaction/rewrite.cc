#include "compaction/rewrite.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/files.h"
#include "chunk/aggregate_chunk.h"
#include "compaction/relabel_runs.h"
#include "compaction/rewrite_record.h"
#include "compaction/series_chunk.h"
#include "compaction/series_filter.h"

namespace aevum::compaction {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSource = "bucket.rewrite";
constexpr std::uint64_t kReportEvery = 1024;  // series

// A block that is read with its labels as text.
class LabelledReader {
 public:
  LabelledReader(const MergeInput& input, SeriesFilter* filter) : input_(input), filter_(filter) {}

  Status Open(const Context& context) {
    ASSIGN_OR_RETURN(reader_, BlockReader::Open(context, input_.place));
    for (std::string_view symbol;;) {
      ASSIGN_OR_RETURN(const bool more, reader_->NextSymbol(&symbol));
      if (!more) return OkStatus();
      symbols_.emplace_back(symbol);
      if (filter_ != nullptr) filter_->AddSymbol(symbol);
    }
  }

  StatusOr<bool> Next() {
    ASSIGN_OR_RETURN(const bool more, reader_->NextSeries(&series_));
    if (!more) {
      if (read_ < input_.meta.stats.series)
        return Corruption("{} series, {} by meta.json", read_, input_.meta.stats.series);
      return false;
    }
    ++read_;
    std::vector<model::Label> labels;
    for (const auto& label : series_.labels)
      labels.push_back({symbols_[label.name], symbols_[label.value]});
    labels_ = model::Labels::FromUnsorted(std::move(labels));
    return true;
  }
  const StoredSeries& series() const { return series_; }
  const model::Labels& labels() const { return labels_; }

 private:
  const MergeInput& input_;
  SeriesFilter* const filter_;
  std::unique_ptr<BlockReader> reader_;
  std::vector<std::string> symbols_;
  StoredSeries series_;
  model::Labels labels_;
  std::uint64_t read_ = 0;
};

// How many samples, or windows, a chunk keeps.
StatusOr<std::uint64_t> CountSamples(const SeriesChunk& chunk, chunk::Columns* scratch) {
  auto encoding = static_cast<chunk::Encoding>(chunk.chunk.stored.encoding);
  std::string_view data = chunk.chunk.stored.data;
  if (chunk.IsAggregate()) {
    ASSIGN_OR_RETURN(const chunk::AggregateParts parts, chunk::SplitAggregateChunk(data));
    const auto part = std::find_if(parts.begin(), parts.end(), [](const auto& p) {
      return p.encoding != chunk::Encoding::kNone;
    });
    if (part == parts.end()) return 0;
    encoding = part->encoding;
    data = part->data;
  }
  RETURN_IF_ERROR(DecodeSeriesChunk(encoding, data, chunk, kMinTime, scratch));
  return scratch->times.size() + scratch->histogram_times.size();
}

// Looks at a block for what changes.
class Scan {
 public:
  Scan(const MergeInput& input, const RewriteOptions& options)
      : options_(options), input_(input), filter_(options.deletions), reader_(input, &filter_) {}

  Status Run(const Context& context) {
    RETURN_IF_ERROR(reader_.Open(context));
    for (std::uint64_t count = 0;; ++count) {
      if (count % kReportEvery == 0) {
        RETURN_IF_ERROR(context.status());
        if (options_.progress) options_.progress(bytes_);
      }
      ASSIGN_OR_RETURN(const bool more, reader_.Next());
      if (!more) break;
      RETURN_IF_ERROR(Look());
    }
    if (options_.progress) options_.progress(bytes_);
    return OkStatus();
  }
  const RewriteStats& stats() const { return stats_; }
  bool changed() const { return stats_.series_changed + stats_.series_dropped > 0; }
  bool relabelled() const { return relabelled_; }

 private:
  Status Look() {
    ranges_.clear();
    filter_.AppendDeleted(reader_.series().labels, input_.meta.labels, &ranges_);
    JoinRanges(&ranges_);
    std::uint64_t kept = 0;
    std::uint64_t dropped = 0;
    std::uint64_t kept_bytes = 0;
    std::optional<tsdb::TimeRange> times;
    for (const tsdb::WrittenChunk& chunk : reader_.series().chunks) {
      bytes_ += chunk.stored.data.size();
      if (!times) times = {chunk.min_time, chunk.max_time};
      times->min_time = std::min(times->min_time, chunk.min_time);
      times->max_time = std::max(times->max_time, chunk.max_time);
      SeriesChunk whole;
      whole.chunk = chunk;
      ASSIGN_OR_RETURN(const std::uint64_t all, CountSamples(whole, &columns_));
      whole.deleted = ranges_;
      std::uint64_t left = all;
      if (!ranges_.empty()) {
        ASSIGN_OR_RETURN(left, CountSamples(whole, &columns_));
      }
      kept += left;
      dropped += all - left;
      if (left == 0) {
        stats_.chunk_bytes_dropped += chunk.stored.data.size();
      } else {
        kept_bytes += chunk.stored.data.size();
      }
    }
    if (!times) return OkStatus();
    return Judge(*times, kept, dropped, kept_bytes);
  }

  Status Judge(const tsdb::TimeRange& times, std::uint64_t kept, std::uint64_t dropped,
               std::uint64_t kept_bytes) {
    stats_.samples_dropped += dropped;
    if (dropped > 0) RETURN_IF_ERROR(TellDeleted(ranges_, times));
    if (kept == 0) {
      ++stats_.series_dropped;
      return OkStatus();
    }
    bool changed = dropped > 0;
    if (options_.relabeler != nullptr) {
      const std::optional<model::Labels> labels = options_.relabeler->Process(reader_.labels());
      if (!labels || labels->empty()) {
        relabelled_ = true;
        ++stats_.series_dropped;
        stats_.samples_dropped += kept;
        stats_.chunk_bytes_dropped += kept_bytes;
        return TellDeleted({&times, 1}, times);
      }
      if (*labels != reader_.labels()) {
        relabelled_ = changed = true;
        RETURN_IF_ERROR(
            Tell(fmt::format("Relabelled {} {}", reader_.labels().ToString(), labels->ToString())));
      }
    }
    stats_.series_changed += changed ? 1 : 0;
    return OkStatus();
  }

  Status Tell(std::string_view line) const {
    return options_.change_log ? options_.change_log(line) : OkStatus();
  }

  // Ranges cut to the times of the series.
  Status TellDeleted(std::span<const tsdb::TimeRange> ranges, const tsdb::TimeRange& times) const {
    if (!options_.change_log) return OkStatus();
    std::string text;
    for (const tsdb::TimeRange& range : ranges) {
      if (range.max_time < times.min_time || range.min_time > times.max_time) continue;
      fmt::format_to(std::back_inserter(text), "{}{{{} {}}}", text.empty() ? "" : " ",
                     std::max(range.min_time, times.min_time),
                     std::min(range.max_time, times.max_time));
    }
    return Tell(fmt::format("Deleted {} [{}]", reader_.labels().ToString(), text));
  }

  const RewriteOptions& options_;
  const MergeInput& input_;
  SeriesFilter filter_;
  LabelledReader reader_;
  RewriteStats stats_;
  bool relabelled_ = false;
  std::uint64_t bytes_ = 0;
  std::vector<tsdb::TimeRange> ranges_;  // scratch
  chunk::Columns columns_;               // scratch
};

Status Blame(const Status& status, const MergeInput& input) {
  if (DamagedBlock(status)) return status;
  return Annotate(status, "block " + input.meta.ulid.ToString());
}

// A directory that goes when this does.
class Scratch {
 public:
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;  // it is scratch of the caller
    fs::remove_all(path_, ignored);
  }
  Status Make() const {
    std::error_code error;
    fs::create_directories(path_, error);
    if (error) return Unavailable("can't make the directory {}: {}", path_, error.message());
    return OkStatus();
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

StatusOr<MergeResult> Relabel(const Context& context, const MergeInput& input,
                              const RewriteOptions& options, const MergeOptions& merge,
                              const std::string& directory) {
  const Scratch scratch(directory + "/relabel-" + input.meta.ulid.ToString());
  RETURN_IF_ERROR(scratch.Make());
  ASSIGN_OR_RETURN(const MergeResult kept, MergeBlocks(context, {input}, merge, scratch.path()));
  RelabelRuns runs(input.meta, scratch.path(), options.run_bytes, *options.clock);
  for (const MergedBlock& block : kept.blocks) {
    MergeInput of;
    of.meta = block.meta;
    of.place = {.bucket = nullptr, .block = block.meta.ulid, .directory = block.directory};
    LabelledReader reader(of, nullptr);
    RETURN_IF_ERROR(reader.Open(context));
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, reader.Next());
      if (!more) break;
      const std::optional<model::Labels> labels = options.relabeler->Process(reader.labels());
      if (labels && !labels->empty())
        RETURN_IF_ERROR(runs.Add(context, *labels, reader.series().chunks));
    }
    std::error_code ignored;  // goes with the scratch directory
    fs::remove_all(block.directory, ignored);
  }
  ASSIGN_OR_RETURN(std::vector<MergeInput> inputs, runs.Finish(context));
  if (inputs.empty()) return MergeResult{};
  MergeOptions join = merge;
  join.deletions.clear();
  return MergeBlocks(context, std::move(inputs), join, directory);
}

// As a block that has no other ancestors, of the level and the times of the one it was made of.
Status CompleteMeta(const MergeInput& input, const RewriteOptions& options, MergedBlock* block) {
  block->meta.min_time = input.meta.min_time;
  block->meta.max_time = input.meta.max_time;
  block->meta.compaction = input.meta.compaction;
  block->meta.compaction.sources = {block->meta.ulid};
  block->meta.compaction.parents.clear();
  block->meta.compaction.deletable = false;
  block->meta.rewrites = input.meta.rewrites;
  block->meta.rewrites.push_back(
      RewriteRecord(input.meta.ulid, options.deletions, options.relabeler));
  return WriteFileAtomically(block->directory + "/" + std::string(block::kMetaFile),
                             block->meta.Write());
}

}  // namespace

StatusOr<RewriteResult> RewriteBlock(const Context& context, const MergeInput& input,
                                     const RewriteOptions& options, const std::string& directory) {
  RewriteResult result;
  bool relabelled = false;
  {
    Scan scan(input, options);
    if (const Status status = scan.Run(context); !status.ok()) return Blame(status, input);
    result.stats = scan.stats();
    result.changed = scan.changed();
    relabelled = scan.relabelled();
  }
  if (!result.changed) return result;
  MergeOptions merge;
  merge.deletions = options.deletions;
  merge.source = kSource;
  merge.clock = options.clock;
  StatusOr<MergeResult> merged = relabelled ? Relabel(context, input, options, merge, directory)
                                            : MergeBlocks(context, {input}, merge, directory);
  if (!merged.ok()) return Blame(merged.status(), input);
  for (MergedBlock& block : merged->blocks) {
    const Status status = CompleteMeta(input, options, &block);
    if (status.ok()) continue;
    std::error_code ignored;  // the error that is told comes first
    for (const MergedBlock& made : merged->blocks) fs::remove_all(made.directory, ignored);
    return status;
  }
  result.blocks = std::move(merged->blocks);
  return result;
}

StatusOr<RewriteStats> MeasureRewrite(const Context& context, const MergeInput& input,
                                      const RewriteOptions& options) {
  Scan scan(input, options);
  if (const Status status = scan.Run(context); !status.ok()) return Blame(status, input);
  return scan.stats();
}

}  // namespace aevum::compaction
