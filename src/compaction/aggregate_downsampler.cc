#include "compaction/aggregate_downsampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "chunk/aggregate_chunk.h"
#include "chunk/xor.h"
#include "compaction/downsample_window.h"
#include "compaction/float_downsampler.h"
#include "compaction/histogram_downsampler.h"
#include "compaction/series_downsampler.h"
#include "store/dedup/counter.h"

namespace aevum::compaction {
namespace {

using chunk::Aggregate;
using chunk::AggregatePart;
using chunk::Columns;
using chunk::Encoding;

// An aggregate chunk, taken apart.
struct Input {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  chunk::AggregateParts parts;

  const AggregatePart& Part(Aggregate aggregate) const {
    return parts[static_cast<std::size_t>(aggregate) - static_cast<std::size_t>(Aggregate::kCount)];
  }
  bool HasHistograms() const {
    const Encoding encoding = Part(Aggregate::kCounter).encoding;
    return encoding != Encoding::kNone && encoding != Encoding::kXor && encoding != Encoding::kXor2;
  }
};

// What is put together: chunks of one kind that follow one another.
using Batch = std::span<const Input>;

Status DecodePart(const Input& input, Aggregate aggregate, Columns* out) {
  const AggregatePart& part = input.Part(aggregate);
  return part.data.empty() ? Status() : DecodeForDownsampling(part.encoding, part.data, out);
}

Status DecodeParts(Batch batch, Aggregate aggregate, Columns* out) {
  out->Clear();
  for (const Input& input : batch) RETURN_IF_ERROR(DecodePart(input, aggregate, out));
  return {};
}

// Gathers the parts of one chunk that is made.
struct Output {
  TimestampMs min_time = kMaxTime;
  TimestampMs max_time = kMinTime;
  std::array<std::string, std::tuple_size_v<chunk::AggregateParts>> data;

  std::string& Data(Aggregate aggregate) {
    return data[static_cast<std::size_t>(aggregate) - static_cast<std::size_t>(Aggregate::kCount)];
  }
  void Covers(const std::vector<TimestampMs>& times) {
    min_time = std::min(min_time, times.front());
    max_time = std::max(max_time, times.back());
  }
  void AppendTo(std::vector<EncodedChunk>* out) const {
    if (min_time > max_time) return;
    chunk::AggregateParts parts;
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (!data[i].empty()) parts[i] = {Encoding::kXor, data[i]};
    out->push_back({min_time, max_time, chunk::kAggregateEncoding,
                    chunk::JoinAggregateParts(parts)});
  }
};

// The windows of one aggregate that is a sum, or an extreme, of those of its windows.
Status AddAggregate(Batch batch, Aggregate aggregate,
                    std::vector<double> WindowColumns::* values, std::int64_t to_ms, Output* out) {
  Columns samples;
  RETURN_IF_ERROR(DecodeParts(batch, aggregate, &samples));
  if (samples.times.empty()) return {};
  WindowColumns windows;
  AddWindows(samples.times, samples.values, to_ms, &windows);
  chunk::XorEncoder encoder;
  encoder.Append(windows.times, windows.*values);
  out->Data(aggregate) = encoder.Bytes();
  out->Covers(windows.times);
  return {};
}

// The last raw value: that of the last sample, which has the time of the one before.
double LastValue(std::span<const Columns> chunks, TimestampMs last_time) {
  for (auto columns = chunks.rbegin(); columns != chunks.rend(); ++columns)
    for (std::size_t i = columns->times.size(); i-- > 0;)
      if (columns->times[i] == last_time && !std::isnan(columns->values[i]))
        return columns->values[i];
  return 0;
}

Status AddCounter(Batch batch, std::int64_t to_ms, Output* out) {
  std::vector<Columns> chunks(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i)
    RETURN_IF_ERROR(DecodePart(batch[i], Aggregate::kCounter, &chunks[i]));
  Columns counter;
  store::dedup::ApplyCounterResets(chunks, &counter);
  if (counter.times.empty()) return {};
  WindowColumns windows;
  AddWindows(counter.times, counter.values, to_ms, &windows);
  chunk::XorEncoder encoder;
  encoder.Append(counter.times.front(), counter.values.front());
  encoder.Append(windows.times, windows.counters);
  encoder.Append(windows.times.back(), LastValue(chunks, counter.times.back()));
  out->Data(Aggregate::kCounter) = encoder.Bytes();
  out->Covers(windows.times);
  return {};
}

Status DownsampleFloatBatch(Batch batch, std::int64_t to_ms, std::vector<EncodedChunk>* out) {
  Output made;
  RETURN_IF_ERROR(AddAggregate(batch, Aggregate::kCount, &WindowColumns::sums, to_ms, &made));
  RETURN_IF_ERROR(AddAggregate(batch, Aggregate::kSum, &WindowColumns::sums, to_ms, &made));
  RETURN_IF_ERROR(AddAggregate(batch, Aggregate::kMin, &WindowColumns::minima, to_ms, &made));
  RETURN_IF_ERROR(AddAggregate(batch, Aggregate::kMax, &WindowColumns::maxima, to_ms, &made));
  RETURN_IF_ERROR(AddCounter(batch, to_ms, &made));
  made.AppendTo(out);
  return {};
}

HistogramSpan SpanOf(const Columns& columns) {
  return {columns.histogram_times, {columns.histograms.data(), columns.histograms.size()}};
}

Status DownsampleFamily(Batch batch, std::int64_t to_ms, std::vector<EncodedChunk>* out) {
  Columns samples;
  RETURN_IF_ERROR(DecodeParts(batch, Aggregate::kCounter, &samples));
  HistogramWindows windows;
  AddWindows(SpanOf(samples), to_ms, ResetEvidence::kCounts, &windows);
  RETURN_IF_ERROR(DecodeParts(batch, Aggregate::kSum, &samples));
  HistogramWindows sums;
  AddWindows(SpanOf(samples), to_ms, ResetEvidence::kCounts, &sums);
  RETURN_IF_ERROR(DecodeParts(batch, Aggregate::kCount, &samples));
  WindowColumns counts;
  AddWindows(samples.times, samples.values, to_ms, &counts);
  if (windows.times != sums.times || windows.times != counts.times)
    return Corruption("the parts of aggregate chunks from {} have different times",
                      batch.front().min_time);
  windows.sums = std::move(sums.sums);
  windows.counts = std::move(counts.sums);
  return EncodeWindows(windows, out);
}

// Of a batch, what can be added up.
Status DownsampleHistogramBatch(Batch batch, std::int64_t to_ms, std::vector<EncodedChunk>* out) {
  Columns first;
  Columns next;
  for (std::size_t begin = 0; begin < batch.size();) {
    first.Clear();
    RETURN_IF_ERROR(DecodePart(batch[begin], Aggregate::kCounter, &first));
    std::size_t end = begin + 1;
    for (; end < batch.size() && !first.histograms.empty(); ++end) {
      next.Clear();
      RETURN_IF_ERROR(DecodePart(batch[end], Aggregate::kCounter, &next));
      if (next.histograms.empty() || !SameFamily(first.histograms[0], next.histograms[0])) break;
    }
    RETURN_IF_ERROR(DownsampleFamily(batch.subspan(begin, end - begin), to_ms, out));
    begin = end;
  }
  return {};
}

Status DownsampleKind(Batch inputs, std::int64_t from_ms, std::int64_t to_ms,
                      std::vector<EncodedChunk>* out) {
  std::size_t samples = 0;
  for (const Input& input : inputs) {
    const AggregatePart& count = input.Part(Aggregate::kCount);
    samples += chunk::ClaimedSamples(count.encoding, count.data);
  }
  const std::size_t chunks = TargetChunkCount(inputs.front().min_time, inputs.back().max_time,
                                              from_ms, to_ms, samples);
  const std::size_t size = std::max<std::size_t>(inputs.size() / chunks, 1);
  for (std::size_t begin = 0; begin < inputs.size(); begin += size) {
    const Batch batch = inputs.subspan(begin, std::min(size, inputs.size() - begin));
    RETURN_IF_ERROR(batch.front().HasHistograms() ? DownsampleHistogramBatch(batch, to_ms, out)
                                                  : DownsampleFloatBatch(batch, to_ms, out));
  }
  return {};
}

}  // namespace

Status DownsampleAggregates(std::span<const tsdb::WrittenChunk> chunks, std::int64_t from_ms,
                            std::int64_t to_ms, std::vector<EncodedChunk>* out) {
  std::vector<Input> inputs;
  inputs.reserve(chunks.size());
  for (const tsdb::WrittenChunk& chunk : chunks) {
    ASSIGN_OR_RETURN(chunk::AggregateParts parts, chunk::SplitAggregateChunk(chunk.stored.data));
    inputs.push_back({chunk.min_time, chunk.max_time, parts});
  }
  const Batch all = inputs;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin + 1;
    while (end < all.size() && all[end].HasHistograms() == all[begin].HasHistograms()) ++end;
    RETURN_IF_ERROR(DownsampleKind(all.subspan(begin, end - begin), from_ms, to_ms, out));
    begin = end;
  }
  return {};
}

}  // namespace aevum::compaction
