// Sums and means of native histograms, compensated, as aggregations and *_over_time make them.
#pragma once

#include <memory>
#include <optional>

#include "model/histogram.h"
#include "model/histogram_arithmetic.h"
#include "promql/engine/histogram_notes.h"

namespace aevum::promql {

enum class HistogramFold : std::uint8_t { kSum, kMean };

// Takes histograms one by one. A mean is that of the sum, or incremental once the sum would
// overflow.
class HistogramSum {
 public:
  // False when exponential and custom buckets meet; then there is no result, and nothing more
  // should be added.
  bool Add(const model::FloatHistogram& histogram, HistogramFold fold);

  bool incompatible() const { return incompatible_; }
  bool bounds_reconciled() const { return bounds_reconciled_; }
  bool reset_collision() const { return reset_seen_ && no_reset_seen_; }

  // The result; empty buckets stay.
  model::FloatHistogram Finish(HistogramFold fold);

 private:
  void AddToMean(const model::FloatHistogram& histogram);
  void Note(const model::CombineOutcome& outcome);

  model::FloatHistogram value_;  // the sum, or the mean once incremental
  std::optional<model::FloatHistogram> compensation_;
  double count_ = 0;
  bool incremental_ = false;
  bool incompatible_ = false;
  bool bounds_reconciled_ = false;
  bool reset_seen_ = false;
  bool no_reset_seen_ = false;
};

}  // namespace aevum::promql
