#include "promql/engine/window_rows.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "promql/engine/extended_windows.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/histogram_windows.h"
#include "promql/engine/step_counts.h"

namespace aevum::promql {

WindowRows::WindowRows(const SelectTimes& times, std::int64_t range_ms, RangeFunction function)
    : range_ms_(range_ms), function_(std::move(function)) {
  for (std::size_t k = 0; k < times.grid.steps; ++k) {
    ends_.push_back(times.At(k));
    steps_.push_back(times.grid.At(k));
  }
}

Status WindowRows::CheckSteps(const chunk::Columns& columns, Annotations& annotations) const {
  const auto any_in = [this](const std::vector<TimestampMs>& times, TimestampMs end) {
    const auto it = std::upper_bound(times.begin(), times.end(), end - range_ms_);
    return it != times.end() && *it <= end;
  };
  for (const auto& [k, error] : function_.step_errors) {
    if (any_in(columns.times, ends_[k]) || any_in(columns.histogram_times, ends_[k])) return error;
  }
  for (const auto& [k, text] : function_.step_warnings) {
    if (any_in(columns.times, ends_[k])) annotations.AddWarning(text, *function_.parameter_expr);
  }
  return OkStatus();
}

Status WindowRows::Add(const model::Labels& labels, const chunk::Columns& columns,
                       QueryState& state, RowBatch* out) {
  const WindowSteps steps{
      .ends = ends_.data(), .steps = steps_.data(), .size = ends_.size(), .range_ms = range_ms_};
  RETURN_IF_ERROR(CheckSteps(columns, state.annotations));
  RETURN_IF_ERROR(out->Add(labels, function_.name));
  const std::size_t row = out->size() - 1;
  if (!function_.keeps_name) DropName(state, out, row);
  const std::string_view name = labels.Get(model::kMetricName);
  if (function_.extension.kind != Extension::Kind::kNone) {
    RETURN_IF_ERROR(
        EvaluateExtendedWindows(function_, steps, columns, name, state.annotations, out, row));
  } else if (columns.histograms.empty()) {
    EvaluateWindows(function_, steps, columns.times, columns.values, scratch_, out->values(row),
                    out->present(row));
  } else {
    RETURN_IF_ERROR(EvaluateMixedWindows(function_, steps, columns, name, scratch_,
                                         state.annotations, out, row));
  }
  if (function_.counts != nullptr)
    function_.counts->AddWindows(steps, function_.extension, columns);
  const std::uint8_t* present = out->present(row);
  const bool gave_numbers = std::find(present, present + steps.size, 1) != present + steps.size;
  if (function_.is_counter && !name.empty() && gave_numbers) {
    const HistogramNotes notes(state.annotations, *function_.argument, name);
    if (state.reads_types) {
      notes.PossibleNonCounterType(labels.Get(kTypeLabel));
    } else {
      notes.PossibleNonCounter();
    }
  }
  if (!out->AnyPresent(row)) out->RemoveLast();
  return OkStatus();
}

}  // namespace aevum::promql
