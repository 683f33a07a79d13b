#include "compaction/downsample.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "base/files.h"
#include "block/upload.h"
#include "compaction/aggregate_downsampler.h"
#include "compaction/series_downsampler.h"
#include "model/ulid.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {
namespace {

// How many bytes of chunks are read between two reports of progress.
constexpr std::uint64_t kProgressBytes = 4 << 20;

// A directory that goes with all it holds, unless it is kept.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}
  ~ScratchDirectory() {
    std::error_code ignored;  // there is nobody to tell, and the error that led here counts more
    if (!kept_) std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  Status Create() const {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error) return Unavailable("can't make the directory {}: {}", path_, error.message());
    return OkStatus();
  }
  void Keep() { kept_ = true; }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  bool kept_ = false;
};

// Streams the series of one block into another.
class BlockDownsampler {
 public:
  BlockDownsampler(std::int64_t from_resolution_ms, std::int64_t resolution_ms,
                   const DownsampleOptions& options)
      : is_raw_(from_resolution_ms == kResolutionRaw),
        options_(options),
        raw_(resolution_ms),
        aggregated_(from_resolution_ms, resolution_ms) {}

  Status CopySymbols(BlockReader& reader, tsdb::BlockWriter& writer) {
    for (std::string_view symbol;;) {
      ASSIGN_OR_RETURN(const bool more, reader.NextSymbol(&symbol));
      if (!more) return OkStatus();
      RETURN_IF_ERROR(writer.AddSymbol(symbol));
    }
  }

  Status AddAllSeries(const Context& context, BlockReader& reader, tsdb::BlockWriter& writer) {
    for (StoredSeries series;;) {
      RETURN_IF_ERROR(context.status());
      ASSIGN_OR_RETURN(const bool more, reader.NextSeries(&series));
      if (!more) break;
      const Status status = AddSeries(series, writer);
      if (!status.ok()) return Annotate(status, fmt::format("series {}", series.reference));
    }
    Report();
    return OkStatus();
  }

  std::uint64_t windows() const { return windows_; }

 private:
  Status AddSeries(StoredSeries& series, tsdb::BlockWriter& writer) {
    std::uint64_t bytes = 0;
    for (const tsdb::WrittenChunk& chunk : series.chunks) bytes += chunk.stored.data.size();
    PutInOrder(&series.chunks);
    made_.clear();
    RETURN_IF_ERROR(is_raw_ ? raw_.Downsample(series.chunks, &made_)
                            : aggregated_.Downsample(series.chunks, &made_));
    written_.clear();
    for (const AggregateChunk& chunk : made_) {
      written_.push_back(chunk.View());
      windows_ += chunk.windows;
    }
    read_bytes_ += bytes;
    if (read_bytes_ - reported_bytes_ >= kProgressBytes) Report();
    if (written_.empty()) return OkStatus();
    const Status status = writer.AddSeries(series.labels, written_);
    // What the writer refuses came out of the block.
    if (status.code() == StatusCode::kInvalidArgument) return Corruption("{}", status.message());
    return status;
  }

  // Chunks may stand in any order, and twice.
  static void PutInOrder(std::vector<tsdb::WrittenChunk>* chunks) {
    const auto before = [](const tsdb::WrittenChunk& a, const tsdb::WrittenChunk& b) {
      return a.min_time < b.min_time;
    };
    if (!std::is_sorted(chunks->begin(), chunks->end(), before))
      std::stable_sort(chunks->begin(), chunks->end(), before);
    const auto equal = [](const tsdb::WrittenChunk& a, const tsdb::WrittenChunk& b) {
      return a.min_time == b.min_time && a.max_time == b.max_time &&
             a.stored.encoding == b.stored.encoding && a.stored.data == b.stored.data;
    };
    chunks->erase(std::unique(chunks->begin(), chunks->end(), equal), chunks->end());
  }

  void Report() {
    if (options_.progress) options_.progress(read_bytes_);
    reported_bytes_ = read_bytes_;
  }

  const bool is_raw_;
  const DownsampleOptions& options_;
  SeriesDownsampler raw_;
  AggregateDownsampler aggregated_;
  std::vector<AggregateChunk> made_;
  std::vector<tsdb::WrittenChunk> written_;
  std::uint64_t windows_ = 0;
  std::uint64_t read_bytes_ = 0;
  std::uint64_t reported_bytes_ = 0;
};

// The meta of the new block: that of its source but for what was made anew.
block::Meta DeriveMeta(const block::Meta& source, const model::Ulid& ulid,
                       std::int64_t resolution_ms, std::uint64_t windows,
                       const tsdb::BlockStats& stats) {
  block::Meta meta = source;
  meta.ulid = ulid;
  meta.resolution_ms = resolution_ms;
  meta.source = block::kSourceCompactor;
  // Samples by their kind are those of the source, as Thanos has it.
  meta.stats.samples = windows;
  meta.stats.series = stats.series;
  meta.stats.chunks = stats.chunks;
  meta.stats.tombstones = 0;
  meta.series_max_size = static_cast<std::int64_t>(stats.series_max_bytes);
  meta.chunk_max_size = static_cast<std::int64_t>(stats.chunk_max_bytes);
  meta.files.clear();
  meta.upload_time = kUnsetTimestamp;
  meta.upload_zone_minutes = 0;
  // The source may have been converted, the new block was not: its readers must not pass it over.
  if (meta.IsParquetMigrated()) meta.extensions.reset();
  return meta;
}

}  // namespace

StatusOr<DownsampledBlock> DownsampleBlock(const Context& context, const block::Meta& meta,
                                           const BlockPlace& place, std::int64_t resolution_ms,
                                           const DownsampleOptions& options,
                                           const std::string& directory) {
  if (!(meta.resolution_ms == kResolutionRaw && resolution_ms == kResolution5m) &&
      !(meta.resolution_ms == kResolution5m && resolution_ms == kResolution1h)) {
    return InvalidArgument("a block of resolution {} can't be made one of {}", meta.resolution_ms,
                           resolution_ms);
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<BlockReader> reader, BlockReader::Open(context, place));
  const model::Ulid ulid = model::UlidGenerator(*options.clock).Next();
  ScratchDirectory target(directory + "/" + ulid.ToString());
  RETURN_IF_ERROR(target.Create());
  ASSIGN_OR_RETURN(tsdb::BlockWriter writer, tsdb::BlockWriter::Create(target.path()));
  BlockDownsampler downsampler(meta.resolution_ms, resolution_ms, options);
  RETURN_IF_ERROR(downsampler.CopySymbols(*reader, writer));
  RETURN_IF_ERROR(downsampler.AddAllSeries(context, *reader, writer));
  ASSIGN_OR_RETURN(const tsdb::BlockStats stats, writer.Finish(context));
  DownsampledBlock made{DeriveMeta(meta, ulid, resolution_ms, downsampler.windows(), stats),
                        target.path()};
  ASSIGN_OR_RETURN(made.meta.segment_files, block::ListSegments(target.path()));
  RETURN_IF_ERROR(
      WriteFileAtomically(target.path() + "/" + std::string(block::kMetaFile), made.meta.Write()));
  target.Keep();
  return made;
}

}  // namespace aevum::compaction
