#include "promql/engine/smoothed_selector.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "promql/engine/extension.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/interpolation.h"
#include "promql/engine/series_rows.h"

namespace aevum::promql {
namespace {

using model::FloatHistogram;
using model::ResetHint;

// The samples of one lane around each step, in turn.
class Around {
 public:
  Around(const std::vector<TimestampMs>& times, std::int64_t lookback_ms)
      : times_(times), lookback_ms_(lookback_ms) {}

  void MoveTo(TimestampMs at) {
    Advance(&lo_, Moved(at, -lookback_ms_));
    Advance(&next_, Moved(at, -1));
    Advance(&hi_, Moved(at, lookback_ms_));
  }

  bool empty() const { return lo_ == hi_; }
  // The first sample at the step or after it.
  std::size_t next() const { return next_; }
  bool has_before() const { return next_ > lo_; }
  bool has_next() const { return next_ < hi_; }

 private:
  // To the first sample after `time`.
  void Advance(std::size_t* at, TimestampMs time) const {
    while (*at < times_.size() && times_[*at] <= time) ++*at;
  }

  const std::vector<TimestampMs>& times_;
  const std::int64_t lookback_ms_;
  std::size_t lo_ = 0;
  std::size_t next_ = 0;
  std::size_t hi_ = 0;
};

// At each step the value on the line between the samples around it.
class SmoothedSample final : public RowMaker {
 public:
  SmoothedSample(const VectorSelector& selector, const SelectTimes& times, std::int64_t lookback_ms)
      : selector_(selector), times_(times), lookback_ms_(lookback_ms) {}

  Status Add(const model::Labels& labels, chunk::Columns* columns, Annotations& annotations,
             RowBatch* out) override {
    DropStaleMarkers(columns);
    RETURN_IF_ERROR(out->Add(labels, "selector"));
    const HistogramNotes notes(annotations, selector_, labels.Get(model::kMetricName));
    RETURN_IF_ERROR(Fill(*columns, notes, out, out->size() - 1));
    if (!out->AnyPresent(out->size() - 1)) out->RemoveLast();
    return OkStatus();
  }

 private:
  Status Fill(const chunk::Columns& columns, const HistogramNotes& notes, RowBatch* out,
              std::size_t row) const {
    Around floats(columns.times, lookback_ms_);
    Around histograms(columns.histogram_times, lookback_ms_);
    for (std::size_t k = 0; k < times_.grid.steps; ++k) {
      const TimestampMs at = times_.At(k);
      floats.MoveTo(at);
      histograms.MoveTo(at);
      if (!floats.empty() && !histograms.empty()) {
        notes.MixedFloatsHistograms();
      } else if (const std::optional<double> number = NumberAt(columns, floats, at)) {
        out->values(row)[k] = *number;
        out->present(row)[k] = 1;
      } else if (std::optional<FloatHistogram> histogram =
                     HistogramAt(columns, histograms, at, notes)) {
        RETURN_IF_ERROR(out->SetHistogram(
            row, k, std::make_shared<const FloatHistogram>(*std::move(histogram)), "selector"));
      }
    }
    return OkStatus();
  }

  static std::optional<double> NumberAt(const chunk::Columns& columns, const Around& around,
                                        TimestampMs at) {
    const std::vector<TimestampMs>& times = columns.times;
    const std::vector<double>& values = columns.values;
    const std::size_t next = around.next();
    if (around.has_next() && times[next] == at) return values[next];
    if (!around.has_before()) return std::nullopt;
    if (!around.has_next()) return values[next - 1];
    return Interpolate(SampleAt<double>{times[next - 1], values[next - 1]},
                       SampleAt<double>{times[next], values[next]}, at, false);
  }

  static std::optional<FloatHistogram> HistogramAt(const chunk::Columns& columns,
                                                   const Around& around, TimestampMs at,
                                                   const HistogramNotes& notes) {
    const std::vector<TimestampMs>& times = columns.histogram_times;
    const std::vector<FloatHistogram>& histograms = columns.histograms;
    const std::size_t next = around.next();
    if (around.has_next() && times[next] == at) return histograms[next];
    if (!around.has_before()) return std::nullopt;
    const FloatHistogram& before = histograms[next - 1];
    if (!around.has_next()) {
      // The hint was about the samples before it.
      FloatHistogram last = before;
      last.reset_hint = ResetHint::kUnknown;
      return last;
    }
    const FloatHistogram& after = histograms[next];
    if (before.uses_custom_buckets() != after.uses_custom_buckets()) {
      notes.MixedExponentialCustom();
      return std::nullopt;
    }
    const bool counter =
        before.reset_hint != ResetHint::kGauge || after.reset_hint != ResetHint::kGauge;
    return Interpolate(SampleAt<FloatHistogram>{times[next - 1], before},
                       SampleAt<FloatHistogram>{times[next], after}, at, counter, notes);
  }

  const VectorSelector& selector_;
  const SelectTimes times_;
  const std::int64_t lookback_ms_;
};

}  // namespace

OperatorPtr MakeSmoothedSelector(QueryState& state, const VectorSelector& selector,
                                 SelectTimes times, std::string function) {
  const std::int64_t lookback_ms = state.lookback_ms;
  return MakeSeriesRows(
      state, selector.matchers, HintsOf(times, lookback_ms, lookback_ms, std::move(function)),
      times.grid.steps, [&selector, times, lookback_ms]() -> StatusOr<std::unique_ptr<RowMaker>> {
        return std::unique_ptr<RowMaker>(
            std::make_unique<SmoothedSample>(selector, times, lookback_ms));
      });
}

}  // namespace aevum::promql
