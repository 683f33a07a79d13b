// A chunk: the samples of one series over a time, encoded; and the columns it decodes into.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/histogram_column.h"

namespace aevum::chunk {

// The encoding byte of Prometheus's chunk files.
enum class Encoding : std::uint8_t {
  kNone = 0,
  kXor = 1,
  kHistogram = 2,
  kFloatHistogram = 3,
  kXor2 = 4,
  kHistogramStart = 5,       // with start timestamps
  kFloatHistogramStart = 6,  // with start timestamps
};

// Which of the parts of an aggregate chunk; kRaw for data that was not downsampled.
enum class Aggregate : std::uint8_t { kRaw, kCount, kSum, kMin, kMax, kCounter };

// Encoded samples somewhere in memory. Borrows the bytes: whoever hands it out says what keeps
// them alive (a SeriesBatch its owners).
struct ChunkView {
  TimestampMs min_time = 0;  // of the first sample, as the index says
  TimestampMs max_time = 0;  // of the last sample, inclusive
  std::string_view data;     // without encoding byte and checksum
  Encoding encoding = Encoding::kNone;
  Aggregate aggregate = Aggregate::kRaw;
  // Which of the series that were joined into one hold it, a bit each; the last bit stands for all
  // from the sixteenth on. Means nothing outside its series.
  std::uint16_t replicas = 1;
  std::uint32_t source = 0;  // who gave it: a position in SeriesBatch::sources when that is set
};

// Samples of one series in columns, ascending in time. Floats and native histograms have a lane
// each; a series that changes its type has samples in both, and the times tell their order.
struct Columns {
  std::vector<TimestampMs> times;  // of the floats
  std::vector<double> values;
  std::vector<TimestampMs> histogram_times;
  model::HistogramColumn histograms;

  // Start timestamps: when the count of each sample began, 0 where that is not known. Whoever wants
  // them sets `with_starts`; else both stay empty.
  bool with_starts = false;
  std::vector<TimestampMs> starts;  // of the floats
  std::vector<TimestampMs> histogram_starts;

  // Makes the start timestamps, if they are wanted, as many as the samples; new ones are not known.
  void FitStarts() {
    if (!with_starts) return;
    starts.resize(times.size());
    histogram_starts.resize(histogram_times.size());
  }

  bool empty() const { return times.empty() && histogram_times.empty(); }
  void Clear() {
    times.clear();
    values.clear();
    histogram_times.clear();
    histograms.clear();
    starts.clear();
    histogram_starts.clear();
  }
};

// Appends all samples of a chunk, with start timestamps where `out` wants them. Corruption when the
// bytes are not well formed, with nothing appended or with whole samples only; never reads outside
// `data`, never allocates more than the size of `data` can justify. Unimplemented for an encoding
// that is not known.
Status Decode(Encoding encoding, std::string_view data, Columns* out);

// As Decode, but may stop after the first `samples` samples. XOR chunks, whose samples can only be
// reached one after another, are so read in part; others as a whole.
Status DecodeFirst(Encoding encoding, std::string_view data, std::uint32_t samples, Columns* out);

// The number of samples that the header of a chunk claims, 0 when there is no header.
std::uint32_t ClaimedSamples(Encoding encoding, std::string_view data);

// The bits of a staleness marker (Prometheus's value.StaleNaN) and of an ordinary NaN.
inline constexpr std::uint64_t kStaleNanBits = 0x7ff0000000000002;
inline constexpr std::uint64_t kNormalNanBits = 0x7ff8000000000001;
bool IsStale(double value);

}  // namespace aevum::chunk
