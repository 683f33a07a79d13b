#include "promql/engine/selector.h"

#include <algorithm>

#include "promql/engine/row_kernels.h"

namespace aevum::promql {
namespace {

constexpr std::int64_t kSampleBytes = sizeof(TimestampMs) + sizeof(double);

// Takes staleness markers out: to a range they are no samples.
void DropStaleMarkers(chunk::Columns* columns) {
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

SelectHints MakeHints(const SelectTimes& times, std::int64_t back_ms, std::string function) {
  SelectHints hints;
  const TimestampMs last = times.At(times.grid.steps - 1);
  // The left end is open.
  hints.start_ms = times.At(0) - back_ms + 1;
  hints.end_ms = last;
  hints.step_ms = times.grid.steps > 1 ? times.grid.step : 0;
  hints.function = std::move(function);
  return hints;
}

class VectorSelectorOperator final : public Operator {
 public:
  VectorSelectorOperator(QueryState& state, const VectorSelector& selector, SelectTimes times,
                         SelectedValue value, std::string function)
      : state_(state),
        times_(times),
        value_(value),
        reader_(state, selector.matchers,
                MakeHints(times, state.lookback_ms, std::move(function))) {}

  StatusOr<bool> Next(RowBatch* out) override {
    RETURN_IF_ERROR(state_.context.status());
    const std::size_t steps = times_.grid.steps;
    out->Reset(steps, state_.context.budget());
    const std::size_t wanted = RowBatch::RowsPerBatch(steps);
    while (out->size() < wanted) {
      ASSIGN_OR_RETURN(const model::Labels* labels, reader_.Next(&columns_));
      if (labels == nullptr) break;
      RETURN_IF_ERROR(out->Add(*labels, "selector"));
      if (!Fill(out->values(out->size() - 1), out->present(out->size() - 1))) out->RemoveLast();
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
        times_(times),
        range_ms_(matrix.range_ms),
        function_(std::move(function)),
        reader_(state, matrix.selector->matchers, RangeHints(times, matrix.range_ms, function_)) {
    for (std::size_t k = 0; k < times.grid.steps; ++k) {
      ends_.push_back(times.At(k));
      steps_.push_back(times.grid.At(k));
    }
  }

  StatusOr<bool> Next(RowBatch* out) override {
    RETURN_IF_ERROR(state_.context.status());
    out->Reset(times_.grid.steps, state_.context.budget());
    const std::size_t wanted = RowBatch::RowsPerBatch(times_.grid.steps);
    const WindowSteps steps{
        .ends = ends_.data(), .steps = steps_.data(), .size = ends_.size(), .range_ms = range_ms_};
    while (out->size() < wanted) {
      ASSIGN_OR_RETURN(const model::Labels* labels, reader_.Next(&columns_));
      if (labels == nullptr) break;
      DropStaleMarkers(&columns_);
      RETURN_IF_ERROR(
          out->Add(function_.keeps_name ? *labels : WithoutName(*labels), function_.name));
      const std::size_t row = out->size() - 1;
      EvaluateWindows(function_, steps, columns_.times, columns_.values, out->values(row),
                      out->present(row));
      if (!out->AnyPresent(row)) out->RemoveLast();
    }
    return !out->empty();
  }

 private:
  static SelectHints RangeHints(const SelectTimes& times, std::int64_t range_ms,
                                const RangeFunction& function) {
    SelectHints hints = MakeHints(times, range_ms, std::string(function.name));
    hints.range_ms = range_ms;
    return hints;
  }

  QueryState& state_;
  const SelectTimes times_;
  const std::int64_t range_ms_;
  const RangeFunction function_;
  SeriesReader reader_;
  std::vector<TimestampMs> ends_;
  std::vector<TimestampMs> steps_;
  chunk::Columns columns_;
};

}  // namespace

StatusOr<const model::Labels*> SeriesReader::Next(chunk::Columns* columns) {
  if (stream_ == nullptr) {
    charge_ = MemoryCharge(state_.context.budget());
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
  const auto held = static_cast<std::int64_t>(columns->values.capacity()) * kSampleBytes;
  if (held > charge_.bytes())
    RETURN_IF_ERROR(charge_.Add(held - charge_.bytes(), "decoded samples"));
  if (!columns->histogram_times.empty()) {
    return Unimplemented(
        "series {} holds native histograms, which PromQL of this version can't evaluate",
        batch_->labels(next_).ToString());
  }
  state_.samples.fetch_add(static_cast<std::int64_t>(columns->values.size()),
                           std::memory_order_relaxed);
  return &batch_->labels(next_++);
}

StatusOr<SelectTimes> TimesOf(const TimeModifiers& time, const Grid& grid,
                              const QueryState& state) {
  if (time.offset_expr) return Unimplemented("duration expressions are not available yet");
  SelectTimes times{.grid = grid, .offset_ms = time.offset_ms};
  if (time.at || time.at_edge != AtEdge::kNone) {
    times.fixed = true;
    times.fixed_at = time.at                          ? *time.at
                     : time.at_edge == AtEdge::kStart ? state.query_start
                                                      : state.query_end;
  }
  return times;
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
