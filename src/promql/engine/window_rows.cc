#include "promql/engine/window_rows.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "promql/engine/extended_windows.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/histogram_windows.h"
#include "promql/engine/start_times.h"
#include "promql/engine/step_counts.h"

namespace aevum::promql {

Status WindowRows::Init() {
  charge_ = MemoryCharge(state_.context.budget());
  RETURN_IF_ERROR(
      charge_.Add(static_cast<std::int64_t>(2 * steps() * sizeof(TimestampMs)), function_.name));
  ends_.resize(steps());
  steps_.resize(steps());
  for (std::size_t k = 0; k < steps(); ++k) {
    ends_[k] = times_.At(k);
    steps_[k] = times_.grid.At(k);
  }
  return OkStatus();
}

StatusOr<WindowRows::Scratch> WindowRows::MakeScratch() const {
  Scratch scratch{.windows = {}, .charge = MemoryCharge(state_.context.budget())};
  // Where each window begins and ends; the rest is known when a series was seen.
  RETURN_IF_ERROR(scratch.charge.Add(static_cast<std::int64_t>(2 * steps() * sizeof(std::int64_t)),
                                     function_.name));
  return scratch;
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

Status WindowRows::Add(const model::Labels& labels, const chunk::Columns& columns, Scratch* scratch,
                       Annotations& annotations, RowBatch* out) const {
  const WindowSteps steps{
      .ends = ends_.data(), .steps = steps_.data(), .size = ends_.size(), .range_ms = range_ms_};
  RETURN_IF_ERROR(CheckSteps(columns, annotations));
  RETURN_IF_ERROR(out->Add(labels, function_.name));
  const std::size_t row = out->size() - 1;
  if (!function_.keeps_name) DropName(state_, out, row);
  const std::string_view name = labels.Get(model::kMetricName);
  DeadlineCheck deadline(state_.context);
  if (function_.extension.kind != Extension::Kind::kNone) {
    RETURN_IF_ERROR(
        EvaluateExtendedWindows(function_, steps, columns, name, deadline, annotations, out, row));
  } else if (columns.histograms.empty()) {
    RETURN_IF_ERROR(EvaluateNumbers(
        function_, steps, columns, HistogramNotes(annotations, *function_.argument, name),
        scratch->windows, deadline, out->values(row), out->present(row)));
  } else {
    RETURN_IF_ERROR(EvaluateMixedWindows(function_, steps, columns, name, scratch->windows,
                                         deadline, annotations, out, row));
  }
  if (function_.counts != nullptr)
    function_.counts->AddWindows(steps, function_.extension, columns);
  const std::int64_t held = scratch->windows.memory_bytes();
  if (held > scratch->charge.bytes())
    RETURN_IF_ERROR(scratch->charge.Add(held - scratch->charge.bytes(), function_.name));
  const std::uint8_t* present = out->present(row);
  const bool gave_numbers = std::find(present, present + steps.size, 1) != present + steps.size;
  if (function_.is_counter && !name.empty() && gave_numbers) {
    const HistogramNotes notes(annotations, *function_.argument, name);
    if (state_.reads_types) {
      notes.PossibleNonCounterType(labels.Get(kTypeLabel));
    } else {
      notes.PossibleNonCounter();
    }
  }
  if (!out->AnyPresent(row)) out->RemoveLast();
  return OkStatus();
}

}  // namespace aevum::promql
