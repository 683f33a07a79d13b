// The raw chunks of a series made coarser.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "chunk/chunk.h"
#include "compaction/aggregate_encoder.h"
#include "compaction/histogram_aggregator.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {

// Decodes all chunks of a series into columns, cuts these into batches of some 140 windows and
// makes an aggregate chunk of each. Staleness markers, values that are no number, times before 1970
// and times that go back inside a chunk are left out.
//
// Cost: floats are looked at twice, once as they are decoded and once in their windows, and only
// where a chunk has such values or times once more. Memory: one series in columns; it is kept for
// the next one. Thread-compatible.
class SeriesDownsampler {
 public:
  // Chunks of floats have `most_windows` at most; only dense series with long sparse parts have as
  // many as the default.
  explicit SeriesDownsampler(std::int64_t resolution_ms, std::size_t most_windows = kMostWindows)
      : resolution_ms_(resolution_ms),
        most_windows_(most_windows),
        histogram_aggregator_(resolution_ms) {}

  // Appends the chunks of a series; none when it has no value. `chunks` are raw, ascend in time and
  // don't overlap. Corruption when one is not well formed, or goes beyond its times.
  Status Downsample(std::span<const tsdb::WrittenChunk> chunks, std::vector<AggregateChunk>* out);

 private:
  // Appends the samples of a chunk to the columns.
  Status Read(const tsdb::WrittenChunk& chunk);
  Status ReadFloats(chunk::Encoding encoding, const tsdb::WrittenChunk& chunk);
  Status ReadHistograms(chunk::Encoding encoding, const tsdb::WrittenChunk& chunk);
  // Makes chunks of what is in the columns, which are empty then.
  Status Flush(std::vector<AggregateChunk>* out);
  Status FlushFloats(std::vector<AggregateChunk>* out);
  Status FlushHistograms(std::vector<AggregateChunk>* out);
  Status AddFloatBatch(std::size_t from, std::size_t to, std::vector<AggregateChunk>* out);
  // Of one kind.
  Status AddHistograms(std::span<const HistogramSample> samples, std::vector<AggregateChunk>* out);
  // The end of the batch that begins with the sample at `from`: `size` samples, and what is left of
  // the window of the last of them.
  template <typename TimeOf>
  std::size_t EndOfBatch(std::size_t from, std::size_t size, std::size_t count,
                         const TimeOf& time_of) const;

  const std::int64_t resolution_ms_;
  const std::size_t most_windows_;
  chunk::Columns columns_;  // the floats or the histograms of neighbouring chunks
  bool has_nan_ = false;    // among the floats
  chunk::Columns numbers_;  // scratch: the floats of a batch that are numbers
  FloatParts float_parts_;
  HistogramParts histogram_parts_;
  std::vector<HistogramSample> histogram_samples_;
  HistogramAggregator histogram_aggregator_;
  AggregateEncoder encoder_;
};

}  // namespace aevum::compaction
