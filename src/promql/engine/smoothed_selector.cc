#include "promql/engine/smoothed_selector.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "promql/engine/extension.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/interpolation.h"

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

class SmoothedSelectorOperator final : public Operator {
 public:
  SmoothedSelectorOperator(QueryState& state, const VectorSelector& selector, SelectTimes times,
                           std::string function)
      : state_(state),
        selector_(selector),
        times_(times),
        reader_(state, selector.matchers,
                HintsOf(times, state.lookback_ms, state.lookback_ms, std::move(function))) {}

  StatusOr<bool> Next(RowBatch* out) override {
    RETURN_IF_ERROR(state_.context.status());
    const std::size_t steps = times_.grid.steps;
    out->Reset(steps, state_.context.budget());
    const std::size_t wanted = RowBatch::RowsPerBatch(steps);
    while (out->size() < wanted) {
      ASSIGN_OR_RETURN(const model::Labels* labels, reader_.Next(&columns_));
      if (labels == nullptr) break;
      DropStaleMarkers(&columns_);
      RETURN_IF_ERROR(out->Add(*labels, "selector"));
      const HistogramNotes notes(state_.annotations, selector_, labels->Get(model::kMetricName));
      RETURN_IF_ERROR(Fill(notes, out, out->size() - 1));
      if (!out->AnyPresent(out->size() - 1)) out->RemoveLast();
    }
    return !out->empty();
  }

 private:
  Status Fill(const HistogramNotes& notes, RowBatch* out, std::size_t row) const {
    Around floats(columns_.times, state_.lookback_ms);
    Around histograms(columns_.histogram_times, state_.lookback_ms);
    for (std::size_t k = 0; k < times_.grid.steps; ++k) {
      const TimestampMs at = times_.At(k);
      floats.MoveTo(at);
      histograms.MoveTo(at);
      if (!floats.empty() && !histograms.empty()) {
        notes.MixedFloatsHistograms();
      } else if (const std::optional<double> number = NumberAt(floats, at)) {
        out->values(row)[k] = *number;
        out->present(row)[k] = 1;
      } else if (std::optional<FloatHistogram> histogram = HistogramAt(histograms, at, notes)) {
        RETURN_IF_ERROR(out->SetHistogram(
            row, k, std::make_shared<const FloatHistogram>(*std::move(histogram)), "selector"));
      }
    }
    return OkStatus();
  }

  std::optional<double> NumberAt(const Around& around, TimestampMs at) const {
    const std::vector<TimestampMs>& times = columns_.times;
    const std::vector<double>& values = columns_.values;
    const std::size_t next = around.next();
    if (around.has_next() && times[next] == at) return values[next];
    if (!around.has_before()) return std::nullopt;
    if (!around.has_next()) return values[next - 1];
    return Interpolate(SampleAt<double>{times[next - 1], values[next - 1]},
                       SampleAt<double>{times[next], values[next]}, at, false);
  }

  std::optional<FloatHistogram> HistogramAt(const Around& around, TimestampMs at,
                                            const HistogramNotes& notes) const {
    const std::vector<TimestampMs>& times = columns_.histogram_times;
    const std::vector<FloatHistogram>& histograms = columns_.histograms;
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

  QueryState& state_;
  const VectorSelector& selector_;
  const SelectTimes times_;
  SeriesReader reader_;
  chunk::Columns columns_;
};

}  // namespace

OperatorPtr MakeSmoothedSelector(QueryState& state, const VectorSelector& selector,
                                 SelectTimes times, std::string function) {
  return std::make_unique<SmoothedSelectorOperator>(state, selector, times, std::move(function));
}

}  // namespace aevum::promql
