#include "compaction/series_downsampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "chunk/xor.h"
#include "compaction/window.h"

namespace aevum::compaction {
namespace {

using chunk::Encoding;

// What a raw series is taken to have a sample each when its chunks are counted.
constexpr std::int64_t kAssumedStepMs = 60'000;

bool IsHistogram(Encoding encoding) {
  return encoding != Encoding::kXor && encoding != Encoding::kXor2;
}

Status CheckBounds(std::span<const TimestampMs> times, const tsdb::WrittenChunk& chunk) {
  if (times.empty() || (times.front() >= chunk.min_time && times.back() <= chunk.max_time))
    return OkStatus();
  return Corruption("samples from {} to {} in a chunk from {} to {}", times.front(), times.back(),
                    chunk.min_time, chunk.max_time);
}

// Sums up the samples from `*at` on, at most so many windows, and moves `*at` behind them.
void AddWindows(std::span<const TimestampMs> times, std::span<const double> values,
                std::int64_t resolution_ms, std::size_t most_windows, std::size_t* at,
                FloatParts* parts) {
  const std::size_t count = times.size();
  std::size_t i = *at;
  // So that the first value is what the counter begins with, be it -0 or infinite.
  double counter = -0.0;
  double previous = 0;
  parts->counter.Add(times[i], values[i]);
  while (i < count && parts->count.times.size() < most_windows) {
    const TimestampMs end = WindowEnd(times[i], resolution_ms, times.back());
    const std::size_t first = i;
    double sum = 0;
    double min = std::numeric_limits<double>::max();
    double max = std::numeric_limits<double>::lowest();
    do {
      const double value = values[i];
      // After a reset all of the value is growth.
      counter += value - (value < previous ? 0 : previous);
      previous = value;
      sum += value;
      min = value < min ? value : min;
      max = value > max ? value : max;
    } while (++i < count && times[i] <= end);
    parts->count.Add(end, static_cast<double>(i - first));
    parts->sum.Add(end, sum);
    parts->min.Add(end, min);
    parts->max.Add(end, max);
    parts->counter.Add(end, counter);
  }
  parts->counter.Add(parts->count.times.back(), previous);
  *at = i;
}

}  // namespace

Status SeriesDownsampler::Downsample(std::span<const tsdb::WrittenChunk> chunks,
                                     std::vector<AggregateChunk>* out) {
  columns_.Clear();
  has_nan_ = false;
  const tsdb::WrittenChunk* before = nullptr;
  for (const tsdb::WrittenChunk& chunk : chunks) {
    if (before != nullptr) {
      if (chunk.min_time <= before->max_time) {
        return Corruption("a chunk from {} to {} overlaps one that begins at {}", before->min_time,
                          before->max_time, chunk.min_time);
      }
      if (IsHistogram(static_cast<Encoding>(chunk.stored.encoding)) !=
          IsHistogram(static_cast<Encoding>(before->stored.encoding)))
        RETURN_IF_ERROR(Flush(out));
    }
    RETURN_IF_ERROR(Read(chunk));
    before = &chunk;
  }
  return Flush(out);
}

Status SeriesDownsampler::Read(const tsdb::WrittenChunk& chunk) {
  const auto encoding = static_cast<Encoding>(chunk.stored.encoding);
  const Status status =
      IsHistogram(encoding) ? ReadHistograms(encoding, chunk) : ReadFloats(encoding, chunk);
  if (status.ok()) return status;
  return Annotate(status, fmt::format("chunk from {} to {}", chunk.min_time, chunk.max_time));
}

Status SeriesDownsampler::ReadFloats(Encoding encoding, const tsdb::WrittenChunk& chunk) {
  const std::size_t from = columns_.times.size();
  bool is_plain = false;
  if (encoding == Encoding::kXor) {
    chunk::XorSummary seen;
    RETURN_IF_ERROR(chunk::DecodeXor(chunk.stored.data, &seen, &columns_));
    is_plain = seen.finite && seen.least_step >= 0 &&
               (columns_.times.size() == from || columns_.times[from] >= 0);
  } else {
    RETURN_IF_ERROR(chunk::Decode(encoding, chunk.stored.data, &columns_));
  }
  if (!is_plain) {
    TimestampMs last = 0;
    std::size_t kept = from;
    for (std::size_t i = from; i < columns_.times.size(); ++i) {
      const TimestampMs time = columns_.times[i];
      const double value = columns_.values[i];
      if (time < last || chunk::IsStale(value)) continue;
      has_nan_ = has_nan_ || std::isnan(value);
      last = time;
      columns_.times[kept] = time;
      columns_.values[kept] = value;
      ++kept;
    }
    columns_.times.resize(kept);
    columns_.values.resize(kept);
  }
  return CheckBounds(std::span(columns_.times).subspan(from), chunk);
}

Status SeriesDownsampler::ReadHistograms(Encoding encoding, const tsdb::WrittenChunk& chunk) {
  const std::size_t from = columns_.histogram_times.size();
  RETURN_IF_ERROR(chunk::Decode(encoding, chunk.stored.data, &columns_));
  TimestampMs last = 0;
  std::size_t kept = from;
  for (std::size_t i = from; i < columns_.histogram_times.size(); ++i) {
    const TimestampMs time = columns_.histogram_times[i];
    if (time < last || chunk::IsStale(columns_.histograms[i].sum)) continue;
    last = time;
    columns_.histogram_times[kept] = time;
    if (kept != i) std::swap(columns_.histograms[kept], columns_.histograms[i]);
    ++kept;
  }
  columns_.histogram_times.resize(kept);
  columns_.histograms.resize(kept);
  return CheckBounds(std::span(columns_.histogram_times).subspan(from), chunk);
}

Status SeriesDownsampler::Flush(std::vector<AggregateChunk>* out) {
  RETURN_IF_ERROR(FlushFloats(out));
  RETURN_IF_ERROR(FlushHistograms(out));
  columns_.Clear();
  has_nan_ = false;
  return OkStatus();
}

template <typename TimeOf>
std::size_t SeriesDownsampler::EndOfBatch(std::size_t from, std::size_t size, std::size_t count,
                                          const TimeOf& time_of) const {
  std::size_t end = from + std::min(size, count - from);
  const TimestampMs last = WindowEnd(time_of(end - 1), resolution_ms_, kMaxTime);
  while (end < count && time_of(end) <= last) ++end;
  return end;
}

Status SeriesDownsampler::FlushFloats(std::vector<AggregateChunk>* out) {
  const std::vector<TimestampMs>& times = columns_.times;
  if (times.empty()) return OkStatus();
  const std::uint64_t chunks =
      TargetChunkCount(times.front(), times.back(), kAssumedStepMs, resolution_ms_, times.size());
  const std::size_t size = times.size() / chunks + 1;
  for (std::size_t at = 0; at < times.size();) {
    const std::size_t end =
        EndOfBatch(at, size, times.size(), [&](std::size_t i) { return times[i]; });
    RETURN_IF_ERROR(AddFloatBatch(at, end, out));
    at = end;
  }
  return OkStatus();
}

Status SeriesDownsampler::AddFloatBatch(std::size_t from, std::size_t to,
                                        std::vector<AggregateChunk>* out) {
  std::span<const TimestampMs> times = std::span(columns_.times).subspan(from, to - from);
  std::span<const double> values = std::span(columns_.values).subspan(from, to - from);
  if (has_nan_) {
    numbers_.Clear();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;
      numbers_.times.push_back(times[i]);
      numbers_.values.push_back(values[i]);
    }
    times = numbers_.times;
    values = numbers_.values;
  }
  for (std::size_t at = 0; at < times.size();) {
    float_parts_.Clear();
    AddWindows(times, values, resolution_ms_, most_windows_, &at, &float_parts_);
    RETURN_IF_ERROR(encoder_.Encode(float_parts_, out));
  }
  return OkStatus();
}

Status SeriesDownsampler::FlushHistograms(std::vector<AggregateChunk>* out) {
  histogram_samples_.clear();
  HistogramKind kind;
  for (std::size_t i = 0; i < columns_.histogram_times.size(); ++i) {
    const model::FloatHistogram& histogram = columns_.histograms[i];
    const HistogramKind its_kind = KindOf(histogram);
    if (!histogram_samples_.empty() && its_kind != kind) {
      RETURN_IF_ERROR(AddHistograms(histogram_samples_, out));
      histogram_samples_.clear();
    }
    kind = its_kind;
    histogram_samples_.push_back({columns_.histogram_times[i], &histogram});
  }
  return AddHistograms(histogram_samples_, out);
}

Status SeriesDownsampler::AddHistograms(std::span<const HistogramSample> samples,
                                        std::vector<AggregateChunk>* out) {
  if (samples.empty()) return OkStatus();
  const std::uint64_t chunks = TargetChunkCount(samples.front().time, samples.back().time,
                                                kAssumedStepMs, resolution_ms_, samples.size());
  const std::size_t size = samples.size() / chunks + 1;
  std::vector<HistogramSample> batch;
  for (std::size_t at = 0; at < samples.size();) {
    const std::size_t end =
        EndOfBatch(at, size, samples.size(), [&](std::size_t i) { return samples[i].time; });
    batch.clear();
    for (; at < end; ++at)
      if (!std::isnan(samples[at].histogram->sum)) batch.push_back(samples[at]);
    if (batch.empty()) continue;
    histogram_parts_.Clear();
    histogram_parts_.are_gauges = KindOf(*batch.front().histogram).is_gauge;
    histogram_aggregator_.Aggregate(batch, &histogram_parts_.count, &histogram_parts_.sum,
                                    &histogram_parts_.counter);
    RETURN_IF_ERROR(encoder_.Encode(histogram_parts_, out));
  }
  return OkStatus();
}

}  // namespace aevum::compaction
