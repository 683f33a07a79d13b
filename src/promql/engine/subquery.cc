#include "promql/engine/subquery.h"

#include <algorithm>

#include "model/histogram_arithmetic.h"
#include "promql/engine/window_rows.h"

namespace aevum::promql {
namespace {

constexpr std::size_t kMaxInnerSteps = 50'000'000;
constexpr std::size_t kSampleBytes = sizeof(TimestampMs) + sizeof(double);

class SubqueryFunctionOperator final : public Operator {
 public:
  SubqueryFunctionOperator(QueryState& state, const SubqueryExpr& subquery, SelectTimes times,
                           Grid inner_grid, OperatorPtr inner, RangeFunction function)
      : state_(state),
        steps_(times.grid.steps),
        inner_grid_(inner_grid),
        inner_(std::move(inner)),
        rows_(state, times, subquery.range_ms, std::move(function)),
        charge_(state.context.budget()),
        histogram_charge_(state.context.budget()) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (!started_) RETURN_IF_ERROR(Start());
    out->Reset(steps_, state_.context.budget());
    while (out->empty()) {
      RETURN_IF_ERROR(state_.context.status());
      ASSIGN_OR_RETURN(const bool more, inner_->Next(&batch_));
      if (!more) return false;
      for (std::size_t i = 0; i < batch_.size(); ++i) {
        RETURN_IF_ERROR(Collect(i));
        const std::size_t before = out->size();
        RETURN_IF_ERROR(rows_.Add(batch_.labels(i), samples_, &scratch_, state_.annotations, out));
        if (out->size() > before && batch_.drops_name(i)) out->set_drops_name(before, true);
      }
    }
    return true;
  }

 private:
  Status Start() {
    RETURN_IF_ERROR(rows_.Init());
    ASSIGN_OR_RETURN(scratch_, rows_.MakeScratch());
    started_ = true;
    return OkStatus();
  }

  // The samples of a row: its steps that have a value.
  Status Collect(std::size_t row) {
    samples_.Clear();
    const std::uint8_t* present = batch_.present(row);
    const auto count =
        static_cast<std::size_t>(std::count(present, present + inner_grid_.steps, 1));
    if (count > samples_.values.capacity()) {
      RETURN_IF_ERROR(charge_.Add(
          static_cast<std::int64_t>((count - samples_.values.capacity()) * kSampleBytes),
          "samples of a subquery"));
      samples_.times.reserve(count);
      samples_.values.reserve(count);
    }
    const HistogramPtr* histograms = batch_.histograms(row);
    if (histograms != nullptr) RETURN_IF_ERROR(ChargeHistograms(histograms));
    for (std::size_t k = 0; k < inner_grid_.steps; ++k) {
      if (batch_.present(row)[k] != 0) {
        samples_.times.push_back(inner_grid_.At(k));
        samples_.values.push_back(batch_.values(row)[k]);
      }
      if (histograms != nullptr && histograms[k] != nullptr) {
        samples_.histogram_times.push_back(inner_grid_.At(k));
        samples_.histograms.push_back(*histograms[k]);
        ForgetResets(&samples_.histograms.back());
      }
    }
    return OkStatus();
  }

  Status ChargeHistograms(const HistogramPtr* histograms) {
    std::int64_t held = 0;
    for (std::size_t k = 0; k < inner_grid_.steps; ++k)
      if (histograms[k] != nullptr) held += model::SizeBytes(*histograms[k]);
    if (held <= histogram_charge_.bytes()) return OkStatus();
    return histogram_charge_.Add(held - histogram_charge_.bytes(), "samples of a subquery");
  }

  // A subquery may leave out the sample that a hint is about, or give it twice.
  static void ForgetResets(model::FloatHistogram* histogram) {
    if (histogram->reset_hint != model::ResetHint::kGauge)
      histogram->reset_hint = model::ResetHint::kUnknown;
  }

  QueryState& state_;
  const std::size_t steps_;
  const Grid inner_grid_;
  const OperatorPtr inner_;
  WindowRows rows_;
  bool started_ = false;
  WindowRows::Scratch scratch_;
  RowBatch batch_;
  chunk::Columns samples_;
  MemoryCharge charge_;
  MemoryCharge histogram_charge_;
};

}  // namespace

StatusOr<Grid> SubqueryGrid(const SubqueryExpr& subquery, const SelectTimes& times,
                            const QueryState& state) {
  const std::int64_t step =
      subquery.step_ms != 0 ? subquery.step_ms : state.default_subquery_step_ms;
  const TimestampMs first = times.At(0) - subquery.range_ms;
  const TimestampMs last = times.At(times.grid.steps - 1);
  // The next multiple of the step after the open start of the first window.
  TimestampMs start = step * (first / step);
  if (start <= first) start += step;
  Grid grid{.start = start, .step = step, .steps = 0};
  if (last >= start) grid.steps = static_cast<std::size_t>((last - start) / step) + 1;
  if (grid.steps > kMaxInnerSteps) {
    return ResourceExhausted("subquery has too many steps: {}, the limit is {}", grid.steps,
                             kMaxInnerSteps);
  }
  return grid;
}

OperatorPtr MakeSubqueryFunction(QueryState& state, const SubqueryExpr& subquery, SelectTimes times,
                                 Grid inner_grid, OperatorPtr inner, RangeFunction function) {
  return std::make_unique<SubqueryFunctionOperator>(state, subquery, times, inner_grid,
                                                    std::move(inner), std::move(function));
}

}  // namespace aevum::promql
