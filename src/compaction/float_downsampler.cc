#include "compaction/float_downsampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "chunk/aggregate_chunk.h"
#include "chunk/xor.h"
#include "compaction/downsample_window.h"

namespace aevum::compaction {
namespace {

// What raw samples are taken to be apart, for the number of chunks.
constexpr std::int64_t kAssumedStepMs = 60'000;

std::string EncodeXor(std::span<const TimestampMs> times, std::span<const double> values) {
  chunk::XorEncoder encoder;
  encoder.Append(times, values);
  return encoder.Bytes();
}

}  // namespace

void WindowColumns::Clear() {
  times.clear();
  counts.clear();
  sums.clear();
  minima.clear();
  maxima.clear();
  counters.clear();
}

void AddWindows(std::span<const TimestampMs> times, std::span<const double> values,
                std::int64_t resolution_ms, WindowColumns* out) {
  const std::size_t size = times.size();
  if (size == 0) return;
  double counter = values[0];
  double previous = values[0];
  for (std::size_t i = 0; i < size;) {
    const TimestampMs end = std::min(WindowEnd(times[i], resolution_ms), times[size - 1]);
    const std::size_t begin = i;
    double sum = 0;
    double least = std::numeric_limits<double>::max();
    double most = std::numeric_limits<double>::lowest();
    for (; i < size && times[i] <= end; ++i) {
      const double value = values[i];
      sum += value;
      least = value < least ? value : least;
      most = value > most ? value : most;
      if (i > 0) counter += value < previous ? value : value - previous;
      previous = value;
    }
    out->times.push_back(end);
    out->counts.push_back(static_cast<double>(i - begin));
    out->sums.push_back(sum);
    out->minima.push_back(least);
    out->maxima.push_back(most);
    out->counters.push_back(counter);
  }
}

EncodedChunk EncodeWindows(const WindowColumns& windows, TimestampMs first_time,
                           double first_value, double last_value) {
  chunk::XorEncoder counter;
  counter.Append(first_time, first_value);
  counter.Append(windows.times, windows.counters);
  counter.Append(windows.times.back(), last_value);
  const std::string data[] = {EncodeXor(windows.times, windows.counts),
                              EncodeXor(windows.times, windows.sums),
                              EncodeXor(windows.times, windows.minima),
                              EncodeXor(windows.times, windows.maxima), counter.Bytes()};
  chunk::AggregateParts parts;
  for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = {chunk::Encoding::kXor, data[i]};
  return {windows.times.front(), windows.times.back(), chunk::kAggregateEncoding,
          chunk::JoinAggregateParts(parts)};
}

void FloatDownsampler::Downsample(std::span<const TimestampMs> times,
                                  std::span<const double> values,
                                  std::vector<EncodedChunk>* out) {
  if (times.empty()) return;
  const std::size_t chunks = TargetChunkCount(times.front(), times.back(), kAssumedStepMs,
                                              resolution_ms_, times.size());
  const std::size_t least = times.size() / chunks + 1;
  for (std::size_t begin = 0; begin < times.size();) {
    std::size_t end = std::min(begin + least, times.size());
    const TimestampMs window_end = WindowEnd(times[end - 1], resolution_ms_);
    while (end < times.size() && times[end] <= window_end) ++end;
    AddChunk(times.subspan(begin, end - begin), values.subspan(begin, end - begin), out);
    begin = end;
  }
}

void FloatDownsampler::AddChunk(std::span<const TimestampMs> times, std::span<const double> values,
                                std::vector<EncodedChunk>* out) {
  if (std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
    number_times_.clear();
    numbers_.clear();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) continue;
      number_times_.push_back(times[i]);
      numbers_.push_back(values[i]);
    }
    times = number_times_;
    values = numbers_;
    if (times.empty()) return;
  }
  windows_.Clear();
  AddWindows(times, values, resolution_ms_, &windows_);
  out->push_back(EncodeWindows(windows_, times.front(), values.front(), values.back()));
}

}  // namespace aevum::compaction
