// Floats of one series made into aggregate chunks.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "compaction/sample_encoder.h"

namespace aevum::compaction {

// Windows of samples, side by side.
struct WindowColumns {
  std::vector<TimestampMs> times;
  std::vector<double> counts;
  std::vector<double> sums;
  std::vector<double> minima;
  std::vector<double> maxima;
  std::vector<double> counters;  // the first sample, and what the counter grew by since

  void Clear();
};

// Appends the windows of samples without NaN, whose times are not negative and never fall. The last
// window ends with the last sample.
void AddWindows(std::span<const TimestampMs> times, std::span<const double> values,
                std::int64_t resolution_ms, WindowColumns* out);

// Makes raw floats coarser: chunk after chunk of whole windows. The bytes are those of Thanos's
// downsampler; docs/format/chunk.md has what a chunk holds. Keeps its memory from series to series.
// Thread-compatible.
class FloatDownsampler {
 public:
  explicit FloatDownsampler(std::int64_t resolution_ms) : resolution_ms_(resolution_ms) {}

  // Appends the chunks of samples that are no staleness markers, whose times are not negative and
  // never fall. A NaN counts for where chunks end, but for no window.
  void Downsample(std::span<const TimestampMs> times, std::span<const double> values,
                  std::vector<EncodedChunk>* out);

 private:
  void AddChunk(std::span<const TimestampMs> times, std::span<const double> values,
                std::vector<EncodedChunk>* out);

  const std::int64_t resolution_ms_;
  WindowColumns windows_;              // scratch
  std::vector<TimestampMs> number_times_;  // scratch: without NaN
  std::vector<double> numbers_;
};

// An aggregate chunk of windows. The counter begins with the first value of the series that the
// windows stand for, and ends with its last one at the time of the last window.
EncodedChunk EncodeWindows(const WindowColumns& windows, TimestampMs first_time,
                           double first_value, double last_value);

}  // namespace aevum::compaction
