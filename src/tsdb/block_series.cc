#include "tsdb/block_series.h"

#include <algorithm>
#include <utility>

#include "chunk/aggregate_chunk.h"

namespace aevum::tsdb {
namespace {

using chunk::ChunkView;

// The parts of an aggregate chunk that are wanted and there.
Status AddParts(const StoredChunk& stored, const ChunkMeta& meta,
                std::span<const chunk::Aggregate> wanted, std::vector<ChunkView>* out) {
  ASSIGN_OR_RETURN(const chunk::AggregateParts parts, chunk::SplitAggregateChunk(stored.data));
  for (const chunk::Aggregate aggregate : wanted) {
    if (aggregate == chunk::Aggregate::kRaw) continue;
    const chunk::AggregatePart& part = parts[static_cast<std::size_t>(aggregate) - 1];
    if (part.encoding == chunk::Encoding::kNone) continue;
    out->push_back({.min_time = meta.min_time,
                    .max_time = meta.max_time,
                    .data = part.data,
                    .encoding = part.encoding,
                    .aggregate = aggregate});
  }
  return OkStatus();
}

Status AddChunk(const StoredChunk& stored, const ChunkMeta& meta,
                std::span<const chunk::Aggregate> wanted, std::vector<ChunkView>* out) {
  if (stored.encoding == chunk::kAggregateEncoding) return AddParts(stored, meta, wanted, out);
  if (stored.encoding > static_cast<std::uint8_t>(chunk::Encoding::kFloatHistogramStart))
    return Unimplemented("unknown encoding of a chunk: {}", stored.encoding);
  out->push_back({.min_time = meta.min_time,
                  .max_time = meta.max_time,
                  .data = stored.data,
                  .encoding = static_cast<chunk::Encoding>(stored.encoding)});
  return OkStatus();
}

std::string PlaceOf(const ChunkMeta& meta) {
  return fmt::format("{} at offset {}", SegmentName(meta.segment()), meta.offset());
}

}  // namespace

BlockSeries::BlockSeries(const Context& context, const IndexTables& tables, BlockSource& source,
                         Postings series, BlockSeriesOptions options)
    : context_(context),
      tables_(tables),
      source_(source),
      series_(std::move(series)),
      options_(std::move(options)),
      symbols_(tables.symbols()) {}

bool BlockSeries::MayBreakOrder(const IndexTables& tables, const model::Labels& external_labels) {
  for (const model::Label label : external_labels) {
    if (tables.postings().CountValues(label.name) > 0) return true;
  }
  return false;
}

StatusOr<bool> BlockSeries::Next(wire::SeriesBatch* batch) {
  batch->Clear();
  ready_.clear();
  KeepHeldChunks();
  while (next_ < series_.size() && ready_.size() < options_.batch_series) {
    RETURN_IF_ERROR(context_.status());
    RETURN_IF_ERROR(ReadEntries());
  }
  if (next_ == series_.size()) {
    for (; !held_.empty(); held_.pop_back()) ready_.push_back(std::move(held_.back()));
  }
  if (ready_.empty()) return false;
  batch->series.reserve(ready_.size());
  if (!options_.skip_chunks) {
    RETURN_IF_ERROR(ReadChunks(batch));
  } else {
    for (Found& found : ready_) batch->series.push_back({std::move(found.labels)});
  }
  return true;
}

// Drops the chunks of what was given out.
void BlockSeries::KeepHeldChunks() {
  std::vector<ChunkMeta> kept;
  for (Found& found : held_) {
    const std::span<const ChunkMeta> chunks = ChunksOf(found);
    found.first_chunk = kept.size();
    kept.insert(kept.end(), chunks.begin(), chunks.end());
  }
  metas_.assign(kept.begin(), kept.end());
}

Status BlockSeries::ReadEntries() {
  const std::size_t count = std::min(options_.batch_series, series_.size() - next_);
  const auto refs = std::span(series_).subspan(next_, count);
  ASSIGN_OR_RETURN(const Pieces pieces, source_.ReadSeries(context_, refs));
  for (std::size_t i = 0; i < count; ++i) {
    if (Status status = AddEntry(pieces.bytes[i]); !status.ok()) {
      return Annotate(
          status, fmt::format("series at offset {} of the index", tables_.SeriesOffset(refs[i])));
    }
  }
  next_ += count;
  return OkStatus();
}

Status BlockSeries::AddEntry(std::string_view bytes) {
  RETURN_IF_ERROR(ParseSeriesEntry(bytes, options_.range, &entry_));
  if (entry_.chunks.empty()) return OkStatus();
  ASSIGN_OR_RETURN(model::Labels labels, MakeLabels());
  if (options_.wanted && !options_.wanted(labels)) {
    ASSIGN_OR_RETURN(const std::size_t size, SeriesEntryBytes(bytes));
    if (options_.on_unwanted) options_.on_unwanted(size);
    return OkStatus();
  }
  Found found{.labels = std::move(labels), .first_chunk = metas_.size()};
  if (!options_.skip_chunks) {
    found.chunk_count = entry_.chunks.size();
    metas_.insert(metas_.end(), entry_.chunks.begin(), entry_.chunks.end());
  }
  Place(std::move(found));
  return OkStatus();
}

// Merges the labels of the entry with the external ones, which win.
StatusOr<model::Labels> BlockSeries::MakeLabels() {
  labels_.clear();
  std::size_t external = 0;
  const auto add_external_before = [&](std::string_view name) {
    for (; external < options_.external_labels.size(); ++external) {
      const model::Label label = options_.external_labels[external];
      if (!name.empty() && label.name > name) return;
      labels_.push_back(label);
    }
  };
  for (const SeriesEntry::Label& label : entry_.labels) {
    ASSIGN_OR_RETURN(const std::string_view name, symbols_.Find(label.name));
    ASSIGN_OR_RETURN(const std::string_view value, symbols_.Find(label.value));
    if (name.empty() || value.empty()) return Corruption("a label of a series is empty");
    add_external_before(name);
    if (!labels_.empty() && labels_.back().name >= name) {
      const bool hidden =
          external > 0 && labels_.back().name == name && options_.external_labels.Has(name);
      if (hidden) continue;
      return Corruption("labels of a series are out of order: \"{}\" behind \"{}\"", name,
                        labels_.back().name);
    }
    labels_.push_back({name, value});
  }
  add_external_before("");
  return model::Labels::FromSorted(labels_);
}

void BlockSeries::Place(Found found) {
  while (!held_.empty() && held_.back().labels < found.labels) {
    ready_.push_back(std::move(held_.back()));
    held_.pop_back();
  }
  if (options_.external_labels.empty()) {
    ready_.push_back(std::move(found));
  } else {
    held_.push_back(std::move(found));
  }
}

Status BlockSeries::ReadChunks(wire::SeriesBatch* batch) {
  // Chunks in the order of the file, each with its place in the answer.
  struct Wanted {
    std::uint64_t ref = 0;
    std::size_t place = 0;
  };
  std::vector<Wanted> wanted;
  wanted.reserve(metas_.size());
  for (const Found& found : ready_) {
    for (const ChunkMeta& meta : ChunksOf(found)) wanted.push_back({meta.ref, wanted.size()});
  }
  const auto by_ref = [](const Wanted& a, const Wanted& b) { return a.ref < b.ref; };
  if (!std::is_sorted(wanted.begin(), wanted.end(), by_ref))
    std::sort(wanted.begin(), wanted.end(), by_ref);
  std::vector<std::uint64_t> refs(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) refs[i] = wanted[i].ref;
  std::vector<StoredChunk> in_file_order;
  in_file_order.reserve(refs.size());
  for (std::size_t first = 0; first < refs.size();) {
    std::size_t last = first;
    while (last < refs.size() && refs[last] >> 32 == refs[first] >> 32) ++last;
    RETURN_IF_ERROR(
        ReadSegment(std::span(refs).subspan(first, last - first), batch, &in_file_order));
    first = last;
  }
  std::vector<StoredChunk> stored(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) stored[wanted[i].place] = in_file_order[i];

  batch->chunks.reserve(stored.size());
  std::size_t at = 0;
  for (Found& found : ready_) {
    const auto first = static_cast<std::uint32_t>(batch->chunks.size());
    for (const ChunkMeta& meta : ChunksOf(found)) {
      RETURN_IF_ERROR(Annotate(AddChunk(stored[at++], meta, options_.aggregates, &batch->chunks),
                               "chunk in " + PlaceOf(meta)));
    }
    batch->series.push_back(
        {std::move(found.labels), first, static_cast<std::uint32_t>(batch->chunks.size()) - first});
  }
  return OkStatus();
}

Status BlockSeries::ReadSegment(std::span<const std::uint64_t> refs, wire::SeriesBatch* batch,
                                std::vector<StoredChunk>* chunks) {
  std::vector<std::uint32_t> offsets(refs.size());
  for (std::size_t i = 0; i < refs.size(); ++i) offsets[i] = static_cast<std::uint32_t>(refs[i]);
  const auto segment = static_cast<std::uint32_t>(refs.front() >> 32);
  ASSIGN_OR_RETURN(Pieces pieces, source_.ReadChunks(context_, segment, offsets));
  for (std::size_t i = 0; i < refs.size(); ++i) {
    StatusOr<StoredChunk> stored = ParseStoredChunk(pieces.bytes[i]);
    if (!stored.ok())
      return Annotate(stored.status(), "chunk in " + PlaceOf(ChunkMeta{.ref = refs[i]}));
    chunks->push_back(*stored);
  }
  std::move(pieces.owners.begin(), pieces.owners.end(), std::back_inserter(batch->owners));
  return OkStatus();
}

}  // namespace aevum::tsdb
