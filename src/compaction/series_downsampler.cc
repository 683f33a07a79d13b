#include "compaction/series_downsampler.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "chunk/aggregate_chunk.h"
#include "compaction/aggregate_downsampler.h"
#include "compaction/downsample.h"
#include "compaction/histogram_downsampler.h"

namespace aevum::compaction {
namespace {

using chunk::Columns;

// Whether samples behind `begin` have to be looked at one by one.
bool HasOddFloats(const Columns& columns, std::size_t begin) {
  bool odd = false;
  TimestampMs last = 0;
  for (std::size_t i = begin; i < columns.times.size(); ++i) {
    odd |= columns.times[i] < last || chunk::IsStale(columns.values[i]);
    last = columns.times[i];
  }
  return odd;
}

void DropOddFloats(std::size_t begin, Columns* columns) {
  std::size_t kept = begin;
  TimestampMs last = 0;
  for (std::size_t i = begin; i < columns->times.size(); ++i) {
    if (chunk::IsStale(columns->values[i]) || columns->times[i] < last) continue;
    last = columns->times[i];
    columns->times[kept] = last;
    columns->values[kept] = columns->values[i];
    ++kept;
  }
  columns->times.resize(kept);
  columns->values.resize(kept);
}

void DropOddHistograms(std::size_t begin, Columns* columns) {
  std::size_t kept = begin;
  TimestampMs last = 0;
  for (std::size_t i = begin; i < columns->histogram_times.size(); ++i) {
    if (chunk::IsStale(columns->histograms[i].sum) || columns->histogram_times[i] < last) continue;
    last = columns->histogram_times[i];
    if (kept != i) {
      columns->histogram_times[kept] = last;
      std::swap(columns->histograms[kept], columns->histograms[i]);
    }
    ++kept;
  }
  columns->histogram_times.resize(kept);
  columns->histograms.resize(kept);
}

Status CheckOrder(std::span<const tsdb::WrittenChunk> chunks) {
  for (std::size_t i = 1; i < chunks.size(); ++i)
    if (chunks[i].min_time <= chunks[i - 1].max_time)
      return Corruption("chunks overlap: one ends at {}, the next begins at {}",
                        chunks[i - 1].max_time, chunks[i].min_time);
  return {};
}

}  // namespace

Status DecodeForDownsampling(chunk::Encoding encoding, std::string_view data, Columns* out) {
  const std::size_t floats = out->times.size();
  const std::size_t histograms = out->histogram_times.size();
  RETURN_IF_ERROR(chunk::Decode(encoding, data, out));
  if (HasOddFloats(*out, floats)) DropOddFloats(floats, out);
  DropOddHistograms(histograms, out);
  return {};
}

Status SeriesDownsampler::Downsample(std::span<const tsdb::WrittenChunk> chunks,
                                     std::vector<EncodedChunk>* out) {
  out->clear();
  RETURN_IF_ERROR(CheckOrder(chunks));
  if (from_ms_ == kResolutionRaw) return DownsampleRaw(chunks, out);
  // A block of aggregates may hold raw chunks: series that a faulty downsampler left as they were.
  std::vector<EncodedChunk> made;
  std::vector<tsdb::WrittenChunk> aggregates;
  for (const tsdb::WrittenChunk& chunk : chunks) {
    if (chunk.stored.encoding == chunk::kAggregateEncoding) continue;
    SeriesDownsampler first(kResolutionRaw, from_ms_);
    std::vector<EncodedChunk> coarser;
    RETURN_IF_ERROR(first.Downsample({&chunk, 1}, &coarser));
    std::ranges::move(coarser, std::back_inserter(made));
  }
  for (const EncodedChunk& chunk : made) aggregates.push_back(chunk.View());
  for (const tsdb::WrittenChunk& chunk : chunks)
    if (chunk.stored.encoding == chunk::kAggregateEncoding) aggregates.push_back(chunk);
  std::ranges::stable_sort(aggregates, {}, &tsdb::WrittenChunk::min_time);
  return DownsampleAggregates(aggregates, from_ms_, to_ms_, out);
}

Status SeriesDownsampler::DownsampleRaw(std::span<const tsdb::WrittenChunk> chunks,
                                        std::vector<EncodedChunk>* out) {
  columns_.Clear();
  for (const tsdb::WrittenChunk& chunk : chunks) {
    const auto encoding = static_cast<chunk::Encoding>(chunk.stored.encoding);
    const bool floats = encoding == chunk::Encoding::kXor || encoding == chunk::Encoding::kXor2;
    if (floats ? !columns_.histogram_times.empty() : !columns_.times.empty())
      RETURN_IF_ERROR(Flush(out));
    RETURN_IF_ERROR(DecodeForDownsampling(encoding, chunk.stored.data, &columns_));
  }
  return Flush(out);
}

Status SeriesDownsampler::Flush(std::vector<EncodedChunk>* out) {
  floats_.Downsample(columns_.times, columns_.values, out);
  const Status status = DownsampleHistograms(
      {columns_.histogram_times, {columns_.histograms.data(), columns_.histograms.size()}}, to_ms_,
      out);
  columns_.Clear();
  return status;
}

}  // namespace aevum::compaction
