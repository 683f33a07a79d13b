#include "promql/engine/selector.h"

#include <algorithm>

#include "model/histogram_arithmetic.h"
#include "promql/engine/row_kernels.h"
#include "promql/engine/window_rows.h"

namespace aevum::promql {
namespace {

constexpr std::int64_t kSampleBytes = sizeof(TimestampMs) + sizeof(double);

void DropStaleHistograms(chunk::Columns* columns) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < columns->histograms.size(); ++i) {
    if (chunk::IsStale(columns->histograms[i].sum)) continue;
    if (kept != i) {
      columns->histograms[kept] = std::move(columns->histograms[i]);
      columns->histogram_times[kept] = columns->histogram_times[i];
    }
    ++kept;
  }
  columns->histograms.resize(kept);
  columns->histogram_times.resize(kept);
}

// Leaves count and sum of each histogram, with what is known of resets: the reference decodes no
// more where only these are asked for, so nothing is said about buckets that don't fit.
void KeepStatistics(std::vector<model::FloatHistogram>* histograms) {
  model::FloatHistogram last;
  bool any = false;
  for (model::FloatHistogram& histogram : *histograms) {
    model::FloatHistogram kept;
    kept.reset_hint = histogram.reset_hint;
    kept.schema = histogram.schema;
    kept.count = histogram.count;
    kept.sum = histogram.sum;
    if (chunk::IsStale(histogram.sum)) {
      histogram = std::move(kept);
      continue;
    }
    if (any && kept.reset_hint == model::ResetHint::kUnknown) {
      kept.reset_hint = model::DetectReset(histogram, last) ? model::ResetHint::kReset
                                                            : model::ResetHint::kNoReset;
    }
    last = std::exchange(histogram, std::move(kept));
    any = true;
  }
}

class VectorSelectorOperator final : public Operator {
 public:
  VectorSelectorOperator(QueryState& state, const VectorSelector& selector, SelectTimes times,
                         SelectedValue value, std::string function)
      : state_(state),
        times_(times),
        value_(value),
        reader_(state, selector.matchers,
                HintsOf(times, state.lookback_ms, 0, std::move(function))) {}

  StatusOr<bool> Next(RowBatch* out) override {
    RETURN_IF_ERROR(state_.context.status());
    const std::size_t steps = times_.grid.steps;
    out->Reset(steps, state_.context.budget());
    const std::size_t wanted = RowBatch::RowsPerBatch(steps);
    while (out->size() < wanted) {
      ASSIGN_OR_RETURN(const model::Labels* labels, reader_.Next(&columns_));
      if (labels == nullptr) break;
      RETURN_IF_ERROR(out->Add(*labels, "selector"));
      const std::size_t row = out->size() - 1;
      if (!columns_.histograms.empty()) {
        RETURN_IF_ERROR(FillMixed(out, row));
        if (!out->AnyPresent(row)) out->RemoveLast();
      } else if (!Fill(out->values(row), out->present(row))) {
        out->RemoveLast();
      }
    }
    return !out->empty();
  }

 private:
  // True when a step has a value.
  bool Fill(double* values, std::uint8_t* present) const {
    const TimestampMs* times = columns_.times.data();
    const std::size_t size = columns_.times.size();
    const std::int64_t lookback_ms = state_.lookback_ms;
    const bool any_stale = AnyStale(columns_.values);
    std::size_t next = 0;
    bool any = false;
    for (std::size_t k = 0; k < times_.grid.steps; ++k) {
      const TimestampMs at = times_.At(k);
      while (next < size && times[next] <= at) ++next;
      if (next == 0 || times[next - 1] <= at - lookback_ms) continue;
      const double value = columns_.values[next - 1];
      if (any_stale && chunk::IsStale(value)) continue;
      values[k] =
          value_ == SelectedValue::kValue ? value : static_cast<double>(times[next - 1]) / 1000;
      present[k] = 1;
      any = true;
    }
    return any;
  }

  // The same for a series with histograms: the newest of both kinds counts.
  Status FillMixed(RowBatch* out, std::size_t row) {
    Fill(out->values(row), out->present(row));
    const std::vector<TimestampMs>& times = columns_.histogram_times;
    std::vector<HistogramPtr> shared(times.size());
    std::size_t next = 0;
    std::size_t next_float = 0;
    for (std::size_t k = 0; k < times_.grid.steps; ++k) {
      const TimestampMs at = times_.At(k);
      while (next < times.size() && times[next] <= at) ++next;
      while (next_float < columns_.times.size() && columns_.times[next_float] <= at) ++next_float;
      if (next == 0 || times[next - 1] <= at - state_.lookback_ms) continue;
      if (next_float > 0 && columns_.times[next_float - 1] > times[next - 1]) continue;
      out->present(row)[k] = 0;
      out->values(row)[k] = 0;
      model::FloatHistogram& histogram = columns_.histograms[next - 1];
      HistogramPtr& pointer = shared[next - 1];
      if (pointer == nullptr && chunk::IsStale(histogram.sum)) continue;
      if (value_ == SelectedValue::kTimestamp) {
        out->present(row)[k] = 1;
        out->values(row)[k] = static_cast<double>(times[next - 1]) / 1000;
        continue;
      }
      if (pointer == nullptr)
        pointer = std::make_shared<const model::FloatHistogram>(std::move(histogram));
      RETURN_IF_ERROR(out->SetHistogram(row, k, pointer, "selector"));
    }
    return OkStatus();
  }

  QueryState& state_;
  const SelectTimes times_;
  const SelectedValue value_;
  SeriesReader reader_;
  chunk::Columns columns_;
};

class RangeSelectorOperator final : public Operator {
 public:
  RangeSelectorOperator(QueryState& state, const MatrixSelector& matrix, SelectTimes times,
                        RangeFunction function)
      : state_(state),
        steps_(times.grid.steps),
        rows_(times, matrix.range_ms, std::move(function)),
        reader_(state, matrix.selector->matchers,
                RangeHints(times, matrix.range_ms, rows_.function())) {}

  StatusOr<bool> Next(RowBatch* out) override {
    RETURN_IF_ERROR(state_.context.status());
    out->Reset(steps_, state_.context.budget());
    const std::size_t wanted = RowBatch::RowsPerBatch(steps_);
    while (out->size() < wanted) {
      ASSIGN_OR_RETURN(const model::Labels* labels, reader_.Next(&columns_));
      if (labels == nullptr) break;
      DropStaleMarkers(&columns_);
      RETURN_IF_ERROR(rows_.Add(*labels, columns_, state_, out));
    }
    return !out->empty();
  }

 private:
  static SelectHints RangeHints(const SelectTimes& times, std::int64_t range_ms,
                                const RangeFunction& function) {
    const Extension& extension = function.extension;
    SelectHints hints = HintsOf(times, range_ms + extension.back_ms(), extension.ahead_ms(),
                                std::string(function.name));
    hints.range_ms = range_ms;
    return hints;
  }

  QueryState& state_;
  const std::size_t steps_;
  WindowRows rows_;
  SeriesReader reader_;
  chunk::Columns columns_;
};

}  // namespace

StatusOr<const model::Labels*> SeriesReader::Next(chunk::Columns* columns) {
  if (stream_ == nullptr) {
    charge_ = MemoryCharge(state_.context.budget());
    histogram_charge_ = MemoryCharge(state_.context.budget());
    ASSIGN_OR_RETURN(stream_, state_.queryable.Select(state_.context, matchers_, hints_));
  }
  while (batch_ == nullptr || next_ == batch_->size()) {
    RETURN_IF_ERROR(state_.context.status());
    ASSIGN_OR_RETURN(batch_, stream_->Next());
    next_ = 0;
    if (batch_ == nullptr) {
      for (const std::string& warning : stream_->warnings())
        state_.annotations.AddStoreWarning(warning);
      return nullptr;
    }
  }
  columns->Clear();
  RETURN_IF_ERROR(batch_->Decode(next_, columns));
  if (!columns->histograms.empty()) RETURN_IF_ERROR(ChargeHistograms(*columns));
  if (statistics_only_) KeepStatistics(&columns->histograms);
  const auto held = static_cast<std::int64_t>(columns->values.capacity()) * kSampleBytes;
  if (held > charge_.bytes())
    RETURN_IF_ERROR(charge_.Add(held - charge_.bytes(), "decoded samples"));
  state_.samples.fetch_add(
      static_cast<std::int64_t>(columns->values.size() + columns->histograms.size()),
      std::memory_order_relaxed);
  const model::Labels& labels = batch_->labels(next_++);
  if (HasTypeOrUnit(labels)) state_.saw_types = true;
  return &labels;
}

Status SeriesReader::ChargeHistograms(const chunk::Columns& columns) {
  std::int64_t held = 0;
  for (const model::FloatHistogram& histogram : columns.histograms)
    held += model::SizeBytes(histogram);
  if (held <= histogram_charge_.bytes()) return OkStatus();
  return histogram_charge_.Add(held - histogram_charge_.bytes(), "decoded histograms");
}

SelectTimes TimesOf(const TimeModifiers& time, const Grid& grid, const QueryState& state) {
  SelectTimes times{.grid = grid, .offset_ms = time.offset_ms};
  if (time.at || time.at_edge != AtEdge::kNone) {
    times.fixed = true;
    times.fixed_at = time.at                          ? *time.at
                     : time.at_edge == AtEdge::kStart ? state.query_start
                                                      : state.query_end;
  }
  return times;
}

SelectHints HintsOf(const SelectTimes& times, std::int64_t back_ms, std::int64_t ahead_ms,
                    std::string function) {
  SelectHints hints;
  const TimestampMs last = times.At(times.grid.steps - 1);
  // The left end is open.
  hints.start_ms = Moved(times.At(0), 1 - back_ms);
  hints.end_ms = Moved(last, ahead_ms);
  hints.step_ms = times.grid.steps > 1 ? times.grid.step : 0;
  hints.function = std::move(function);
  return hints;
}

void DropStaleMarkers(chunk::Columns* columns) {
  DropStaleHistograms(columns);
  if (!AnyStale(columns->values)) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < columns->values.size(); ++i) {
    if (chunk::IsStale(columns->values[i])) continue;
    columns->values[kept] = columns->values[i];
    columns->times[kept++] = columns->times[i];
  }
  columns->values.resize(kept);
  columns->times.resize(kept);
}

OperatorPtr MakeVectorSelector(QueryState& state, const VectorSelector& selector, SelectTimes times,
                               SelectedValue value, std::string function) {
  return std::make_unique<VectorSelectorOperator>(state, selector, times, value,
                                                  std::move(function));
}

OperatorPtr MakeRangeSelector(QueryState& state, const MatrixSelector& matrix, SelectTimes times,
                              RangeFunction function) {
  return std::make_unique<RangeSelectorOperator>(state, matrix, times, std::move(function));
}

}  // namespace aevum::promql
