#include "compaction/relabel_runs.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include "compaction/aggregate_overlap.h"
#include "compaction/raw_overlap.h"
#include "compaction/series_chunk.h"

namespace aevum::compaction {
namespace {

constexpr std::size_t kMostRuns = 32;

tsdb::WrittenChunk Borrow(const EncodedChunk& chunk) {
  tsdb::WrittenChunk written;
  written.min_time = chunk.min_time;
  written.max_time = chunk.max_time;
  written.stored.encoding = chunk.encoding;
  written.stored.data = chunk.data;
  return written;
}

}  // namespace

Status RelabelRuns::Add(const Context& context, const model::Labels& labels,
                        const std::vector<tsdb::WrittenChunk>& chunks) {
  Series& series = series_.emplace_back();
  series.labels = labels;
  bytes_ += sizeof(Series) + labels.memory_bytes();
  for (const tsdb::WrittenChunk& chunk : chunks) {
    series.chunks.push_back(
        {chunk.min_time, chunk.max_time, chunk.stored.encoding, std::string(chunk.stored.data)});
    bytes_ += sizeof(EncodedChunk) + chunk.stored.data.size();
  }
  return bytes_ < run_bytes_ ? OkStatus() : WriteRun(context);
}

Status RelabelRuns::MergeChunks(std::vector<EncodedChunk>* chunks) const {
  std::stable_sort(chunks->begin(), chunks->end(), [](const auto& a, const auto& b) {
    return std::pair(a.min_time, a.max_time) < std::pair(b.min_time, b.max_time);
  });
  std::vector<EncodedChunk> merged;
  RawOverlapMerger merger;
  for (std::size_t first = 0, end = 0; first < chunks->size(); first = end) {
    TimestampMs last = (*chunks)[first].max_time;
    std::vector<SeriesChunk> together;
    for (end = first; end < chunks->size(); ++end) {
      const EncodedChunk& chunk = (*chunks)[end];
      if (end > first && chunk.min_time > last) break;
      last = std::max(last, chunk.max_time);
      SeriesChunk& next = together.emplace_back();
      next.chunk = Borrow(chunk);
    }
    if (together.size() == 1) {
      merged.push_back(std::move((*chunks)[first]));
    } else if (together.front().IsAggregate()) {
      RETURN_IF_ERROR(
          MergeAggregateChunks(together, MergeFunction::kOneToOne, meta_.resolution_ms, &merged));
    } else {
      RETURN_IF_ERROR(merger.Merge(together, {}, &merged));
    }
  }
  chunks->swap(merged);
  return OkStatus();
}

Status RelabelRuns::WriteRun(const Context& context) {
  RETURN_IF_ERROR(context.status());
  std::vector<std::string> texts;
  for (const Series& series : series_) {
    for (const auto& label : series.labels) {
      texts.emplace_back(label.name);
      texts.emplace_back(label.value);
    }
  }
  const tsdb::SymbolNumbers numbers(std::move(texts));
  MergeInput run;
  run.meta = meta_;
  run.meta.ulid = ulids_.Next();
  const std::string path = directory_ + "/" + run.meta.ulid.ToString();
  run.place = {.bucket = nullptr, .block = run.meta.ulid, .directory = path};
  ASSIGN_OR_RETURN(tsdb::BlockWriter writer, tsdb::BlockWriter::Create(path));
  for (const std::string& symbol : numbers.symbols()) RETURN_IF_ERROR(writer.AddSymbol(symbol));
  std::stable_sort(series_.begin(), series_.end(),
                   [](const Series& a, const Series& b) { return a.labels < b.labels; });
  std::vector<tsdb::SeriesEntry::Label> labels;
  std::vector<tsdb::WrittenChunk> written;
  for (std::size_t first = 0, end = 0; first < series_.size(); first = end) {
    Series& series = series_[first];
    for (end = first + 1; end < series_.size() && series_[end].labels == series.labels; ++end)
      std::move(series_[end].chunks.begin(), series_[end].chunks.end(),
                std::back_inserter(series.chunks));
    if (end > first + 1) RETURN_IF_ERROR(MergeChunks(&series.chunks));
    labels.clear();
    for (const auto& label : series.labels) {
      tsdb::SeriesEntry::Label& number = labels.emplace_back();
      ASSIGN_OR_RETURN(number.name, numbers.Find(label.name));
      ASSIGN_OR_RETURN(number.value, numbers.Find(label.value));
    }
    written.clear();
    for (const EncodedChunk& chunk : series.chunks) written.push_back(Borrow(chunk));
    RETURN_IF_ERROR(writer.AddSeries(labels, written));
  }
  ASSIGN_OR_RETURN(const tsdb::BlockStats stats, writer.Finish(context));
  run.meta.stats.series = stats.series;
  runs_.push_back(std::move(run));
  series_.clear();
  bytes_ = 0;
  return runs_.size() < kMostRuns ? OkStatus() : JoinRuns(context);
}

Status RelabelRuns::JoinRuns(const Context& context) {
  MergeOptions options;
  options.clock = &clock_;
  ASSIGN_OR_RETURN(MergeResult joined, MergeBlocks(context, runs_, options, directory_));
  for (const MergeInput& run : runs_) {
    std::error_code ignored;  // the caller removes the directory
    std::filesystem::remove_all(run.place.directory, ignored);
  }
  runs_.clear();
  for (MergedBlock& block : joined.blocks) {
    MergeInput& run = runs_.emplace_back();
    run.place = {.bucket = nullptr, .block = block.meta.ulid, .directory = block.directory};
    run.meta = std::move(block.meta);
  }
  return OkStatus();
}

StatusOr<std::vector<MergeInput>> RelabelRuns::Finish(const Context& context) {
  if (!series_.empty()) RETURN_IF_ERROR(WriteRun(context));
  return std::move(runs_);
}

}  // namespace aevum::compaction
