#include "compaction/aggregate_downsampler.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <utility>

#include "compaction/window.h"

namespace aevum::compaction {
namespace {

using chunk::Aggregate;
using chunk::AggregatePart;
using chunk::AggregateParts;
using chunk::Encoding;

const AggregatePart& PartOf(const AggregateParts& parts, Aggregate aggregate) {
  return parts[static_cast<std::size_t>(aggregate) - static_cast<std::size_t>(Aggregate::kCount)];
}

bool IsHistogram(Encoding encoding) {
  return encoding != Encoding::kNone && encoding != Encoding::kXor && encoding != Encoding::kXor2;
}

// Combines the values of each window, beginning with `initial`.
template <typename Combine>
void AddWindows(const chunk::Columns& columns, std::int64_t resolution_ms, double initial,
                const Combine& combine, FloatPart* out) {
  const std::vector<TimestampMs>& times = columns.times;
  for (std::size_t i = 0; i < times.size();) {
    const TimestampMs end = WindowEnd(times[i], resolution_ms, times.back());
    double value = initial;
    do {
      value = combine(value, columns.values[i]);
    } while (++i < times.size() && times[i] <= end);
    out->Add(end, value);
  }
}

double Sum(double a, double b) { return a + b; }
double Least(double a, double b) { return b < a ? b : a; }
double Greatest(double a, double b) { return b > a ? b : a; }

}  // namespace

Status AggregateDownsampler::Downsample(std::span<const tsdb::WrittenChunk> chunks,
                                        std::vector<AggregateChunk>* out) {
  sources_.clear();
  std::deque<std::vector<AggregateChunk>> made;  // of raw chunks; sources borrow from it
  const tsdb::WrittenChunk* before = nullptr;
  for (const tsdb::WrittenChunk& chunk : chunks) {
    if (before != nullptr && chunk.min_time <= before->max_time) {
      return Corruption("a chunk from {} to {} overlaps one that begins at {}", before->min_time,
                        before->max_time, chunk.min_time);
    }
    before = &chunk;
    Status status;
    if (chunk.stored.encoding == chunk::kAggregateEncoding) {
      status = AddSource(chunk);
    } else if (chunk::ClaimedSamples(static_cast<Encoding>(chunk.stored.encoding),
                                     chunk.stored.data) > 0) {
      status = raw_.Downsample({&chunk, 1}, &made.emplace_back());
      for (std::size_t i = 0; status.ok() && i < made.back().size(); ++i)
        status = AddSource(made.back()[i].View());
    }
    if (!status.ok())
      return Annotate(status, fmt::format("chunk from {} to {}", chunk.min_time, chunk.max_time));
  }
  for (std::size_t from = 0; from < sources_.size();) {
    std::size_t to = from + 1;
    while (to < sources_.size() && sources_[to].has_histograms == sources_[from].has_histograms &&
           sources_[to].kind == sources_[from].kind)
      ++to;
    RETURN_IF_ERROR(AddRun(std::span(sources_).subspan(from, to - from), out));
    from = to;
  }
  return OkStatus();
}

Status AggregateDownsampler::AddSource(const tsdb::WrittenChunk& chunk) {
  ASSIGN_OR_RETURN(const AggregateParts parts, chunk::SplitAggregateChunk(chunk.stored.data));
  Source source{.min_time = chunk.min_time, .max_time = chunk.max_time, .parts = parts, .kind = {}};
  const AggregatePart& counter = PartOf(parts, Aggregate::kCounter);
  source.has_histograms = IsHistogram(counter.encoding);
  if (source.has_histograms) {
    columns_.Clear();
    RETURN_IF_ERROR(chunk::Decode(counter.encoding, counter.data, &columns_));
    for (const model::FloatHistogram& histogram : columns_.histograms) {
      if (chunk::IsStale(histogram.sum)) continue;
      source.kind = KindOf(histogram);
      break;
    }
  }
  sources_.push_back(source);
  return OkStatus();
}

Status AggregateDownsampler::AddRun(std::span<const Source> sources,
                                    std::vector<AggregateChunk>* out) {
  std::uint64_t samples = 0;
  for (const Source& source : sources) {
    const AggregatePart& count = PartOf(source.parts, Aggregate::kCount);
    samples += chunk::ClaimedSamples(count.encoding, count.data);
  }
  const std::uint64_t chunks = TargetChunkCount(sources.front().min_time, sources.back().max_time,
                                                from_resolution_ms_, resolution_ms_, samples);
  const std::size_t size = std::max<std::size_t>(sources.size() / chunks, 1);
  for (std::size_t at = 0; at < sources.size(); at += size) {
    const std::span<const Source> batch = sources.subspan(at, std::min(size, sources.size() - at));
    RETURN_IF_ERROR(batch.front().has_histograms ? AddHistograms(batch, out)
                                                 : AddFloats(batch, out));
  }
  return OkStatus();
}

Status AggregateDownsampler::CheckBounds(std::span<const TimestampMs> times, const Source& source) {
  if (times.empty() || (times.front() >= source.min_time && times.back() <= source.max_time))
    return OkStatus();
  return Corruption("windows from {} to {} in a chunk from {} to {}", times.front(), times.back(),
                    source.min_time, source.max_time);
}

Status AggregateDownsampler::Read(std::span<const Source> sources, Aggregate aggregate) {
  columns_.Clear();
  for (const Source& source : sources) {
    const AggregatePart& part = PartOf(source.parts, aggregate);
    if (part.encoding == Encoding::kNone) continue;
    if (IsHistogram(part.encoding) != (source.has_histograms && aggregate != Aggregate::kCount))
      return Corruption("an aggregate chunk has parts of floats and of histograms");
    const std::size_t from = columns_.times.size();
    const std::size_t from_histogram = columns_.histogram_times.size();
    RETURN_IF_ERROR(chunk::Decode(part.encoding, part.data, &columns_));
    // The counter is looked at sample by sample.
    if (aggregate == Aggregate::kCounter && !source.has_histograms) continue;
    const auto tidy = [](std::size_t first, auto& times, auto& values, const auto& is_stale) {
      TimestampMs last = 0;
      std::size_t kept = first;
      for (std::size_t i = first; i < times.size(); ++i) {
        if (times[i] < last || is_stale(values[i])) continue;
        last = times[i];
        times[kept] = times[i];
        if (kept != i) std::swap(values[kept], values[i]);
        ++kept;
      }
      times.resize(kept);
      values.resize(kept);
    };
    tidy(from, columns_.times, columns_.values, chunk::IsStale);
    tidy(from_histogram, columns_.histogram_times, columns_.histograms,
         [](const model::FloatHistogram& histogram) { return chunk::IsStale(histogram.sum); });
    RETURN_IF_ERROR(CheckBounds(std::span(columns_.times).subspan(from), source));
    RETURN_IF_ERROR(
        CheckBounds(std::span(columns_.histogram_times).subspan(from_histogram), source));
  }
  return OkStatus();
}

Status AggregateDownsampler::AddFloats(std::span<const Source> sources,
                                       std::vector<AggregateChunk>* out) {
  float_parts_.Clear();
  RETURN_IF_ERROR(Read(sources, Aggregate::kCount));
  AddWindows(columns_, resolution_ms_, 0, Sum, &float_parts_.count);
  RETURN_IF_ERROR(Read(sources, Aggregate::kSum));
  AddWindows(columns_, resolution_ms_, 0, Sum, &float_parts_.sum);
  RETURN_IF_ERROR(Read(sources, Aggregate::kMin));
  AddWindows(columns_, resolution_ms_, std::numeric_limits<double>::max(), Least,
             &float_parts_.min);
  RETURN_IF_ERROR(Read(sources, Aggregate::kMax));
  AddWindows(columns_, resolution_ms_, std::numeric_limits<double>::lowest(), Greatest,
             &float_parts_.max);
  RETURN_IF_ERROR(Read(sources, Aggregate::kCounter));
  AddCounter();
  return encoder_.Encode(float_parts_, out);
}

// The columns hold a counter whose samples of equal time tell what it was at the end of a chunk.
void AggregateDownsampler::AddCounter() {
  double total = 0;
  double raw = 0;  // the last true value
  TimestampMs last = 0;
  bool any = false;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < columns_.times.size(); ++i) {
    const TimestampMs time = columns_.times[i];
    const double value = columns_.values[i];
    if (std::isnan(value)) continue;
    if (any && time <= last) {
      if (time == last) raw = value;
      continue;
    }
    total = !any ? value : value >= raw ? total + (value - raw) : total + value;
    any = true;
    last = time;
    raw = value;
    if (time < 0) continue;
    columns_.times[kept] = time;
    columns_.values[kept] = total;
    ++kept;
  }
  columns_.times.resize(kept);
  columns_.values.resize(kept);
  if (kept == 0) return;

  FloatPart& counter = float_parts_.counter;
  counter.Add(columns_.times.front(), columns_.values.front());
  // The counter never falls here, but for what adding rounds.
  double running = -0.0;
  double previous = 0;
  for (std::size_t i = 0; i < kept;) {
    const TimestampMs end = WindowEnd(columns_.times[i], resolution_ms_, columns_.times.back());
    do {
      const double value = columns_.values[i];
      running += value - (value < previous ? 0 : previous);
      previous = value;
    } while (++i < kept && columns_.times[i] <= end);
    counter.Add(end, running);
  }
  counter.Add(counter.times.back(), raw);
}

Status AggregateDownsampler::ReadHistograms(std::span<const Source> sources, Aggregate aggregate) {
  RETURN_IF_ERROR(Read(sources, aggregate));
  histogram_samples_.clear();
  for (std::size_t i = 0; i < columns_.histogram_times.size(); ++i) {
    // Parts say of themselves what they are; what can't be added to the first is damage.
    if (columns_.histograms[i].uses_custom_buckets() !=
        columns_.histograms[0].uses_custom_buckets())
      return Corruption("aggregates of exponential and of custom buckets in one chunk");
    histogram_samples_.push_back({columns_.histogram_times[i], &columns_.histograms[i]});
  }
  return OkStatus();
}

Status AggregateDownsampler::AddHistograms(std::span<const Source> sources,
                                           std::vector<AggregateChunk>* out) {
  histogram_parts_.Clear();
  histogram_parts_.are_gauges = sources.front().kind.is_gauge;
  RETURN_IF_ERROR(Read(sources, Aggregate::kCount));
  AddWindows(columns_, resolution_ms_, 0, Sum, &histogram_parts_.count);
  RETURN_IF_ERROR(ReadHistograms(sources, Aggregate::kSum));
  histogram_aggregator_.Aggregate(histogram_samples_, nullptr, &histogram_parts_.sum, nullptr);
  RETURN_IF_ERROR(ReadHistograms(sources, Aggregate::kCounter));
  histogram_aggregator_.Aggregate(histogram_samples_, nullptr, nullptr, &histogram_parts_.counter);
  return encoder_.Encode(histogram_parts_, out);
}

}  // namespace aevum::compaction
