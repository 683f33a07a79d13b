// Native histograms of one series made into aggregate chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "compaction/sample_encoder.h"
#include "model/histogram.h"

namespace aevum::compaction {

// Histograms in the order of time, borrowed.
struct HistogramSpan {
  std::span<const TimestampMs> times;
  std::span<const model::FloatHistogram> histograms;

  std::size_t size() const { return times.size(); }
  HistogramSpan Part(std::size_t begin, std::size_t end) const {
    return {times.subspan(begin, end - begin), histograms.subspan(begin, end - begin)};
  }
};

// Windows of histograms.
struct HistogramWindows {
  std::vector<TimestampMs> times;
  std::vector<double> counts;                    // of histograms
  std::vector<model::FloatHistogram> sums;       // gauges
  std::vector<model::FloatHistogram> counters;   // the first one, and what it grew by since

  void Clear();
};

// Where a reset of the counter is looked for.
enum class ResetEvidence : std::uint8_t {
  kHintsAndCounts,
  kCounts,  // the hints are of windows, and say nothing of those before
};

// Appends the windows of histograms that can be added up (SameFamily), at the lowest schema of all.
// The last window ends with the last histogram.
void AddWindows(const HistogramSpan& histograms, std::int64_t resolution_ms, ResetEvidence evidence,
                HistogramWindows* out);

// Whether two histograms can be added up without loss: gauges or counters, with the same bounds if
// those are custom.
bool SameFamily(const model::FloatHistogram& a, const model::FloatHistogram& b);

// Appends aggregate chunks of windows: one, unless the layout changes so that the histograms do not
// fit one chunk; another one begins then, so that no window is lost.
Status EncodeWindows(const HistogramWindows& windows, std::vector<EncodedChunk>* out);

// Appends the aggregate chunks of raw histograms that are no staleness markers, whose times are not
// negative and never fall. Where Thanos's downsampler keeps all windows, the bytes are equal.
// Histograms whose sum is NaN count for no window.
Status DownsampleHistograms(const HistogramSpan& histograms, std::int64_t resolution_ms,
                            std::vector<EncodedChunk>* out);

}  // namespace aevum::compaction
