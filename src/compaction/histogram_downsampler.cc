#include "compaction/histogram_downsampler.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "chunk/aggregate_chunk.h"
#include "chunk/xor.h"
#include "compaction/downsample_window.h"
#include "compaction/histogram_run.h"
#include "model/histogram_arithmetic.h"

namespace aevum::compaction {
namespace {

using model::FloatHistogram;
using model::ResetHint;

constexpr std::int64_t kAssumedStepMs = 60'000;

// Adds up histograms, of a window and from the first one on.
class HistogramAggregator {
 public:
  HistogramAggregator(std::int32_t schema, ResetEvidence evidence)
      : schema_(schema), evidence_(evidence) {}

  void BeginWindow() {
    count_ = 0;
    sum_.reset();
  }

  void Add(const FloatHistogram& histogram) {
    FloatHistogram reduced = histogram.schema > schema_ ? model::AtSchema(histogram, schema_)
                                                        : histogram;
    if (previous_ == nullptr) {
      counter_ = reduced;
    } else if (IsReset(histogram)) {
      model::Add(&counter_, reduced);
    } else {
      FloatHistogram growth = reduced;
      model::Subtract(&growth, reduced_);
      model::Add(&counter_, growth);
    }
    if (!sum_) {
      sum_ = reduced;
    } else {
      model::Add(&*sum_, reduced);
    }
    sum_->reset_hint = ResetHint::kGauge;
    reduced_ = std::move(reduced);
    previous_ = &histogram;
    ++count_;
  }

  void EndWindow(TimestampMs time, HistogramWindows* out) const {
    out->times.push_back(time);
    out->counts.push_back(static_cast<double>(count_));
    out->sums.push_back(*sum_);
    out->counters.push_back(counter_);
  }

 private:
  bool IsReset(const FloatHistogram& histogram) const {
    if (histogram.reset_hint == ResetHint::kGauge) return false;
    if (evidence_ == ResetEvidence::kHintsAndCounts)
      return model::DetectReset(histogram, *previous_);
    FloatHistogram unknown = histogram;
    unknown.reset_hint = ResetHint::kUnknown;
    return model::DetectReset(unknown, *previous_);
  }

  const std::int32_t schema_;
  const ResetEvidence evidence_;
  std::size_t count_ = 0;
  std::optional<FloatHistogram> sum_;
  FloatHistogram counter_;
  FloatHistogram reduced_;                    // the previous one at the schema
  const FloatHistogram* previous_ = nullptr;  // as it came
};

// As many windows from `begin` on as one chunk of these histograms takes.
std::size_t Fitting(std::span<const FloatHistogram> histograms,
                    std::span<const TimestampMs> times, ResetHint begin, std::string* data,
                    Status* status) {
  HistogramRun run(chunk::Encoding::kFloatHistogram, begin);
  std::size_t fitting = 0;
  while (fitting < histograms.size() && run.Add(times[fitting], histograms[fitting])) ++fitting;
  StatusOr<std::string> bytes = run.TakeChunk();
  *status = bytes.status();
  if (bytes.ok()) *data = *std::move(bytes);
  return fitting;
}

// Appends a chunk of the first windows, as many as fit; sets how many these are.
Status EncodeFirst(const HistogramWindows& windows, std::size_t begin, std::size_t* count,
                   std::vector<EncodedChunk>* out) {
  std::size_t size = windows.times.size() - begin;
  std::string sum;
  std::string counter;
  for (;;) {
    const auto times = std::span(windows.times).subspan(begin, size);
    Status status;
    const std::size_t counters = Fitting(std::span(windows.counters).subspan(begin, size), times,
                                         ResetHint::kNoReset, &counter, &status);
    RETURN_IF_ERROR(status);
    const std::size_t sums = Fitting(std::span(windows.sums).subspan(begin, size), times,
                                     ResetHint::kGauge, &sum, &status);
    RETURN_IF_ERROR(status);
    const std::size_t both = std::min(counters, sums);
    if (both == size) break;
    size = both;
  }
  chunk::XorEncoder counts;
  counts.Append(std::span(windows.times).subspan(begin, size),
                std::span(windows.counts).subspan(begin, size));
  const std::string count_bytes = counts.Bytes();
  chunk::AggregateParts parts;
  parts[0] = {chunk::Encoding::kXor, count_bytes};
  parts[1] = {chunk::Encoding::kFloatHistogram, sum};
  parts[4] = {chunk::Encoding::kFloatHistogram, counter};
  out->push_back({windows.times[begin], windows.times[begin + size - 1],
                  chunk::kAggregateEncoding, chunk::JoinAggregateParts(parts)});
  *count = size;
  return {};
}

// Without those whose sum is NaN.
struct Numbers {
  std::vector<TimestampMs> times;
  std::vector<FloatHistogram> histograms;
};

Numbers NumbersOf(const HistogramSpan& all) {
  Numbers numbers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (std::isnan(all.histograms[i].sum)) continue;
    numbers.times.push_back(all.times[i]);
    numbers.histograms.push_back(all.histograms[i]);
  }
  return numbers;
}

Status DownsampleFamily(const HistogramSpan& histograms, std::int64_t resolution_ms,
                        std::vector<EncodedChunk>* out) {
  HistogramWindows windows;
  AddWindows(histograms, resolution_ms, ResetEvidence::kHintsAndCounts, &windows);
  return EncodeWindows(windows, out);
}

// Histograms that go into one chunk if they can be added up.
Status DownsampleBatch(const HistogramSpan& batch, std::int64_t resolution_ms,
                       std::vector<EncodedChunk>* out) {
  for (std::size_t begin = 0; begin < batch.size();) {
    std::size_t end = begin + 1;
    while (end < batch.size() && SameFamily(batch.histograms[begin], batch.histograms[end])) ++end;
    RETURN_IF_ERROR(DownsampleFamily(batch.Part(begin, end), resolution_ms, out));
    begin = end;
  }
  return {};
}

}  // namespace

void HistogramWindows::Clear() {
  times.clear();
  counts.clear();
  sums.clear();
  counters.clear();
}

bool SameFamily(const FloatHistogram& a, const FloatHistogram& b) {
  return (a.reset_hint == ResetHint::kGauge) == (b.reset_hint == ResetHint::kGauge) &&
         a.uses_custom_buckets() == b.uses_custom_buckets() &&
         (!a.uses_custom_buckets() || a.custom_values == b.custom_values);
}

void AddWindows(const HistogramSpan& histograms, std::int64_t resolution_ms,
                ResetEvidence evidence, HistogramWindows* out) {
  const std::size_t size = histograms.size();
  if (size == 0) return;
  std::int32_t schema = histograms.histograms[0].schema;
  for (const FloatHistogram& histogram : histograms.histograms)
    schema = std::min(schema, histogram.schema);
  HistogramAggregator aggregator(schema, evidence);
  for (std::size_t i = 0; i < size;) {
    const TimestampMs end =
        std::min(WindowEnd(histograms.times[i], resolution_ms), histograms.times[size - 1]);
    aggregator.BeginWindow();
    for (; i < size && histograms.times[i] <= end; ++i) aggregator.Add(histograms.histograms[i]);
    aggregator.EndWindow(end, out);
  }
}

Status EncodeWindows(const HistogramWindows& windows, std::vector<EncodedChunk>* out) {
  for (std::size_t begin = 0; begin < windows.times.size();) {
    std::size_t count = 0;
    RETURN_IF_ERROR(EncodeFirst(windows, begin, &count, out));
    begin += count;
  }
  return {};
}

Status DownsampleHistograms(const HistogramSpan& histograms, std::int64_t resolution_ms,
                            std::vector<EncodedChunk>* out) {
  if (histograms.size() == 0) return {};
  const std::size_t chunks =
      TargetChunkCount(histograms.times.front(), histograms.times.back(), kAssumedStepMs,
                       resolution_ms, histograms.size());
  const std::size_t least = histograms.size() / chunks + 1;
  for (std::size_t begin = 0; begin < histograms.size();) {
    std::size_t end = std::min(begin + least, histograms.size());
    const TimestampMs window_end = WindowEnd(histograms.times[end - 1], resolution_ms);
    while (end < histograms.size() && histograms.times[end] <= window_end) ++end;
    const HistogramSpan batch = histograms.Part(begin, end);
    const bool has_nan = std::ranges::any_of(
        batch.histograms, [](const FloatHistogram& histogram) { return std::isnan(histogram.sum); });
    if (has_nan) {
      const Numbers numbers = NumbersOf(batch);
      RETURN_IF_ERROR(DownsampleBatch({numbers.times, numbers.histograms}, resolution_ms, out));
    } else {
      RETURN_IF_ERROR(DownsampleBatch(batch, resolution_ms, out));
    }
    begin = end;
  }
  return {};
}

}  // namespace aevum::compaction
