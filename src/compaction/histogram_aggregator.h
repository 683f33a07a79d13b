// Native histograms of a series summed up by windows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "compaction/aggregate_encoder.h"
#include "model/histogram.h"

namespace aevum::compaction {

// Borrows its histogram.
struct HistogramSample {
  TimestampMs time = 0;
  const model::FloatHistogram* histogram = nullptr;
};

// Histograms that can be added to one another, and whose sums go into one chunk: gauges or
// counters, of exponential or of custom buckets.
struct HistogramKind {
  bool is_gauge = false;
  bool is_custom = false;
  friend bool operator==(const HistogramKind&, const HistogramKind&) = default;
};
HistogramKind KindOf(const model::FloatHistogram& histogram);

// Sums up histograms of one kind, which ascend in time, in windows that end at the last of them at
// the latest; all at the lowest schema among them. Keeps its buffers. Thread-compatible.
class HistogramAggregator {
 public:
  explicit HistogramAggregator(std::int64_t resolution_ms) : resolution_ms_(resolution_ms) {}

  // Appends to each part that is not null: how many there are in each window, their sum, and the
  // counter at its end, from which resets since the first of them are taken out.
  void Aggregate(std::span<const HistogramSample> samples, FloatPart* count, HistogramPart* sum,
                 HistogramPart* counter);

 private:
  // A histogram that others are added to, with spans as Prometheus forms them when it adds: they
  // may touch, where a bucket filled the gap between two of them.
  struct Total {
    model::FloatHistogram histogram;  // its spans never touch
    std::vector<model::Span> positive_spans;
    std::vector<model::Span> negative_spans;

    void Begin(const model::FloatHistogram& first);
    void Add(const model::FloatHistogram& other);
    // Appends it as it is now.
    void Emit(TimestampMs time, model::ResetHint hint, HistogramPart* part) const;

   private:
    std::vector<model::Span> before_;  // scratch
    std::vector<model::Span> negative_before_;
  };

  const model::FloatHistogram& AtLowestSchema(const model::FloatHistogram& histogram);
  void Count(const model::FloatHistogram& histogram, const model::FloatHistogram& reduced);

  const std::int64_t resolution_ms_;
  std::int32_t schema_ = 0;
  // The one before, at the lowest schema; null before the first. Of the caller, or of `reduced_`.
  const model::FloatHistogram* previous_ = nullptr;
  model::FloatHistogram reduced_[2];  // in turn
  std::size_t reduced_at_ = 0;
  model::FloatHistogram delta_;
  Total counter_;
  Total sum_;
};

}  // namespace aevum::compaction
