#include "promql/engine/selector.h"

#include <algorithm>

#include "promql/engine/row_kernels.h"
#include "promql/engine/series_rows.h"
#include "promql/engine/start_times.h"
#include "promql/engine/window_rows.h"

namespace aevum::promql {
namespace {

void DropStaleHistograms(chunk::Columns* columns) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < columns->histograms.size(); ++i) {
    if (chunk::IsStale(columns->histograms[i].sum)) continue;
    if (kept != i) {
      columns->histograms[kept] = std::move(columns->histograms[i]);
      columns->histogram_times[kept] = columns->histogram_times[i];
      if (columns->with_starts) columns->histogram_starts[kept] = columns->histogram_starts[i];
    }
    ++kept;
  }
  columns->histograms.resize(kept);
  columns->histogram_times.resize(kept);
  columns->FitStarts();
}

// At each step the newest sample of a series.
class NewestSample final : public RowMaker {
 public:
  NewestSample(const SelectTimes& times, std::int64_t lookback_ms, SelectedValue value)
      : times_(times), lookback_ms_(lookback_ms), value_(value) {}

  bool wants_starts() const override { return value_ == SelectedValue::kStartTimestamp; }

  Status Add(const model::Labels& labels, chunk::Columns* columns, Annotations& /*annotations*/,
             RowBatch* out) override {
    RETURN_IF_ERROR(out->Add(labels, "selector"));
    const std::size_t row = out->size() - 1;
    if (!columns->histograms.empty()) {
      RETURN_IF_ERROR(FillMixed(columns, out, row));
      if (!out->AnyPresent(row)) out->RemoveLast();
    } else if (!Fill(*columns, out->values(row), out->present(row))) {
      out->RemoveLast();
    }
    return OkStatus();
  }

 private:
  // What stands for the time of a sample where its value is not asked for.
  const std::vector<TimestampMs>& Shown(const std::vector<TimestampMs>& times,
                                        const std::vector<TimestampMs>& starts) const {
    return value_ == SelectedValue::kStartTimestamp ? starts : times;
  }

  // True when a step has a value.
  bool Fill(const chunk::Columns& columns, double* values, std::uint8_t* present) const {
    const TimestampMs* times = columns.times.data();
    const TimestampMs* shown = Shown(columns.times, columns.starts).data();
    const std::size_t size = columns.times.size();
    const bool any_stale = AnyStale(columns.values);
    std::size_t next = 0;
    bool any = false;
    for (std::size_t k = 0; k < times_.grid.steps; ++k) {
      const TimestampMs at = times_.At(k);
      while (next < size && times[next] <= at) ++next;
      if (next == 0 || times[next - 1] <= at - lookback_ms_) continue;
      const double value = columns.values[next - 1];
      if (any_stale && chunk::IsStale(value)) continue;
      values[k] =
          value_ == SelectedValue::kValue ? value : static_cast<double>(shown[next - 1]) / 1000;
      present[k] = 1;
      any = true;
    }
    return any;
  }

  // The same for a series with histograms: the newest of both kinds counts.
  Status FillMixed(chunk::Columns* columns, RowBatch* out, std::size_t row) const {
    Fill(*columns, out->values(row), out->present(row));
    const std::vector<TimestampMs>& times = columns->histogram_times;
    const std::vector<TimestampMs>& shown = Shown(times, columns->histogram_starts);
    std::vector<HistogramPtr> shared(times.size());
    std::size_t next = 0;
    std::size_t next_float = 0;
    for (std::size_t k = 0; k < times_.grid.steps; ++k) {
      const TimestampMs at = times_.At(k);
      while (next < times.size() && times[next] <= at) ++next;
      while (next_float < columns->times.size() && columns->times[next_float] <= at) ++next_float;
      if (next == 0 || times[next - 1] <= at - lookback_ms_) continue;
      if (next_float > 0 && columns->times[next_float - 1] > times[next - 1]) continue;
      out->present(row)[k] = 0;
      out->values(row)[k] = 0;
      model::FloatHistogram& histogram = columns->histograms[next - 1];
      HistogramPtr& pointer = shared[next - 1];
      if (pointer == nullptr && chunk::IsStale(histogram.sum)) continue;
      if (value_ != SelectedValue::kValue) {
        out->present(row)[k] = 1;
        out->values(row)[k] = static_cast<double>(shown[next - 1]) / 1000;
        continue;
      }
      if (pointer == nullptr) {
        std::shared_ptr<model::FloatHistogram> own = out->TakeHistogram();
        std::swap(*own, histogram);
        pointer = std::move(own);
      }
      RETURN_IF_ERROR(out->SetHistogram(row, k, pointer, "selector"));
    }
    return OkStatus();
  }

  const SelectTimes times_;
  const std::int64_t lookback_ms_;
  const SelectedValue value_;
};

// What a function gives for the windows of a series.
class OverWindows final : public RowMaker {
 public:
  OverWindows(std::shared_ptr<const WindowRows> rows, WindowRows::Scratch scratch)
      : rows_(std::move(rows)), scratch_(std::move(scratch)) {}

  bool wants_starts() const override { return rows_->wants_starts(); }
  Status Add(const model::Labels& labels, chunk::Columns* columns, Annotations& annotations,
             RowBatch* out) override {
    DropStaleMarkers(columns);
    return rows_->Add(labels, *columns, &scratch_, annotations, out);
  }

 private:
  const std::shared_ptr<const WindowRows> rows_;
  WindowRows::Scratch scratch_;
};

class RangeSelectorOperator final : public Operator {
 public:
  RangeSelectorOperator(QueryState& state, const MatrixSelector& matrix, SelectTimes times,
                        RangeFunction function)
      : rows_(std::make_shared<WindowRows>(state, times, matrix.range_ms, std::move(function))) {
    source_ = MakeSeriesRows(
        state, matrix.selector->matchers, RangeHints(times, matrix.range_ms, rows_->function()),
        times.grid.steps, [rows = rows_]() -> StatusOr<std::unique_ptr<RowMaker>> {
          ASSIGN_OR_RETURN(WindowRows::Scratch scratch, rows->MakeScratch());
          return std::unique_ptr<RowMaker>(std::make_unique<OverWindows>(rows, std::move(scratch)));
        });
  }

  StatusOr<bool> Next(RowBatch* out) override {
    if (!started_) RETURN_IF_ERROR(rows_->Init());
    started_ = true;
    return source_->Next(out);
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

  const std::shared_ptr<WindowRows> rows_;
  bool started_ = false;
  OperatorPtr source_;
};

}  // namespace

StatusOr<const model::Labels*> SeriesReader::Next() {
  if (stream_ == nullptr) {
    ASSIGN_OR_RETURN(stream_, ticket_->Open(state_.context));
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
  RETURN_IF_ERROR(decoder_.Decode(*batch_, next_));
  state_.samples.fetch_add(decoder_.samples(), std::memory_order_relaxed);
  const model::Labels& labels = batch_->labels(next_++);
  if (HasTypeOrUnit(labels)) state_.saw_types = true;
  return &labels;
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
    if (columns->with_starts) columns->starts[kept] = columns->starts[i];
    columns->times[kept++] = columns->times[i];
  }
  columns->values.resize(kept);
  columns->times.resize(kept);
  columns->FitStarts();
}

OperatorPtr MakeVectorSelector(QueryState& state, const VectorSelector& selector, SelectTimes times,
                               SelectedValue value, std::string function) {
  const std::int64_t lookback_ms = state.lookback_ms;
  return MakeSeriesRows(
      state, selector.matchers, HintsOf(times, lookback_ms, 0, std::move(function)),
      times.grid.steps, [times, lookback_ms, value]() -> StatusOr<std::unique_ptr<RowMaker>> {
        return std::unique_ptr<RowMaker>(std::make_unique<NewestSample>(times, lookback_ms, value));
      });
}

OperatorPtr MakeRangeSelector(QueryState& state, const MatrixSelector& matrix, SelectTimes times,
                              RangeFunction function) {
  return std::make_unique<RangeSelectorOperator>(state, matrix, times, std::move(function));
}

}  // namespace aevum::promql
