// The aggregate chunks of a series made coarser still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "chunk/aggregate_chunk.h"
#include "chunk/chunk.h"
#include "compaction/aggregate_encoder.h"
#include "compaction/histogram_aggregator.h"
#include "compaction/series_downsampler.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {

// Counts and sums are added up, minima and maxima taken of their own kind, and counters read as a
// query reads them: without resets, also across the seams of chunks. An output chunk is made of
// whole input chunks. Raw chunks that lie among the others are made coarse first. Memory: the
// input chunks of one output chunk, in columns. Thread-compatible.
class AggregateDownsampler {
 public:
  AggregateDownsampler(std::int64_t from_resolution_ms, std::int64_t resolution_ms)
      : from_resolution_ms_(from_resolution_ms),
        resolution_ms_(resolution_ms),
        raw_(from_resolution_ms),
        histogram_aggregator_(resolution_ms) {}

  // Appends the chunks of a series. `chunks` ascend in time and don't overlap. Corruption when one
  // is not well formed.
  Status Downsample(std::span<const tsdb::WrittenChunk> chunks, std::vector<AggregateChunk>* out);

 private:
  struct Source {
    TimestampMs min_time = 0;
    TimestampMs max_time = 0;
    chunk::AggregateParts parts;
    bool has_histograms = false;
    HistogramKind kind;
  };

  static Status CheckBounds(std::span<const TimestampMs> times, const Source& source);
  Status AddSource(const tsdb::WrittenChunk& chunk);
  // Of sources that can be put together.
  Status AddRun(std::span<const Source> sources, std::vector<AggregateChunk>* out);
  Status AddFloats(std::span<const Source> sources, std::vector<AggregateChunk>* out);
  Status AddHistograms(std::span<const Source> sources, std::vector<AggregateChunk>* out);
  // Replaces the columns by the samples of one part of all sources.
  Status Read(std::span<const Source> sources, chunk::Aggregate aggregate);
  Status ReadHistograms(std::span<const Source> sources, chunk::Aggregate aggregate);
  void AddCounter();

  const std::int64_t from_resolution_ms_;
  const std::int64_t resolution_ms_;
  SeriesDownsampler raw_;
  std::vector<Source> sources_;
  chunk::Columns columns_;
  std::vector<HistogramSample> histogram_samples_;
  FloatParts float_parts_;
  HistogramParts histogram_parts_;
  HistogramAggregator histogram_aggregator_;
  AggregateEncoder encoder_;
};

}  // namespace aevum::compaction
