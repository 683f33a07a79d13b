// Native histograms that go into one chunk, given a common layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "model/histogram.h"

namespace aevum::compaction {

// Gathers histograms as long as a chunk can hold them by the rules of Prometheus: gauges or
// counters, of one schema, threshold and bounds, the latter without a reset between them. Buckets
// that some of them lack are added to those. Borrows the histograms until TakeChunk.
// Thread-compatible.
class HistogramRun {
 public:
  // `encoding` is one of the four of histograms. `begin` is what the chunk says of a reset before
  // it where its first histogram shows none.
  explicit HistogramRun(chunk::Encoding encoding,
                        model::ResetHint begin = model::ResetHint::kUnknown)
      : encoding_(encoding), begin_(begin) {}

  chunk::Encoding encoding() const { return encoding_; }
  std::size_t samples() const { return samples_.size(); }
  TimestampMs min_time() const { return samples_.front().time; }
  TimestampMs max_time() const { return samples_.back().time; }

  // False when the histogram has to begin another chunk. Any is taken by an empty run.
  bool Add(TimestampMs time, const model::FloatHistogram& histogram, TimestampMs start = 0);

  // The data of the chunk; the run is empty then. Corruption when a histogram is not well formed.
  StatusOr<std::string> TakeChunk();

 private:
  struct Sample {
    TimestampMs time = 0;
    const model::FloatHistogram* histogram = nullptr;
    TimestampMs start = 0;
  };
  // The buckets of all histograms so far, with the counts of the last one.
  struct Side {
    std::vector<model::Span> spans;
    std::vector<double> counts;
  };

  // What one side becomes with the buckets of another histogram.
  struct JoinedSide {
    std::vector<std::int64_t> all;  // the indices of all buckets; empty when the spans are equal
    std::vector<double> counts;     // of the other histogram, in that layout
    bool adds = false;              // it has buckets that the chunk lacks
    bool lacks = false;             // it lacks buckets that the chunk has
  };

  void Begin(const model::FloatHistogram& histogram);
  bool JoinSide(const std::vector<model::Span>& spans, const std::vector<double>& counts,
                const Side& side, JoinedSide* joined) const;
  bool Joins(const model::FloatHistogram& histogram);
  bool IsGauge() const { return hint_ == model::ResetHint::kGauge; }

  const chunk::Encoding encoding_;
  const model::ResetHint begin_;
  std::vector<Sample> samples_;
  model::ResetHint hint_ = model::ResetHint::kUnknown;  // of the chunk
  // Whether the last histogram was refused because its counter was reset.
  bool after_reset_ = false;
  bool stale_ = false;           // the last one was a staleness marker
  model::FloatHistogram first_;  // what all have but for the buckets
  double count_ = 0;
  double zero_count_ = 0;
  Side positive_;
  Side negative_;
};

}  // namespace aevum::compaction
