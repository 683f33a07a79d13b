#include "promql/engine/histogram_windows.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "base/duration.h"
#include "model/histogram_arithmetic.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/histogram_sum.h"

namespace aevum::promql {
namespace {

using model::FloatHistogram;
using model::ResetHint;

double Seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

// ---- rate, increase, delta ----

// The histogram without samples that a counter starts from.
FloatHistogram EmptyStart(const FloatHistogram& like) {
  FloatHistogram empty;
  empty.schema = like.schema;
  empty.custom_values = like.custom_values;
  return empty;
}

// The lowest schema of the window, or nothing when bucket kinds differ.
std::optional<std::int32_t> CommonSchema(const MixedWindow& w, const FloatHistogram& first,
                                         bool counter, const HistogramNotes& notes) {
  const FloatHistogram& last = w.histograms[w.count - 1];
  const bool custom = first.uses_custom_buckets();
  std::int32_t schema = std::min(first.schema, last.schema);
  bool same = last.uses_custom_buckets() == custom;
  for (std::size_t i = 1; same && counter && i + 1 < w.count; ++i) {
    const FloatHistogram& h = w.histograms[i];
    if (h.reset_hint == ResetHint::kGauge) notes.NotCounter();
    schema = std::min(schema, h.schema);
    same = h.uses_custom_buckets() == custom;
  }
  if (same) return schema;
  notes.MixedExponentialCustom();
  return std::nullopt;
}

// What the histogram gained between the first and the last sample.
std::optional<FloatHistogram> Gained(const MixedWindow& w, bool counter,
                                     const HistogramNotes& notes) {
  const FloatHistogram& last = w.histograms[w.count - 1];
  const auto is_gauge = [](const FloatHistogram& h) { return h.reset_hint == ResetHint::kGauge; };
  const bool first_gauge = is_gauge(w.histograms[0]);
  if (counter && (first_gauge || is_gauge(last))) notes.NotCounter();

  // After a reset nothing of the first sample counts, not even its layout.
  const bool reset = counter && model::DetectReset(w.histograms[1], w.histograms[0]);
  const FloatHistogram start = reset ? EmptyStart(w.histograms[1]) : w.histograms[0];
  const std::optional<std::int32_t> schema = CommonSchema(w, start, counter, notes);
  if (!schema) return std::nullopt;

  FloatHistogram gained = model::AtSchema(last, *schema);
  if (model::Subtract(&gained, start).bounds_reconciled) notes.BoundsReconciled(kForSubtraction);
  const FloatHistogram* previous = &start;
  for (std::size_t i = 1; counter && i < w.count; ++i) {
    if (model::DetectReset(w.histograms[i], *previous) &&
        model::Add(&gained, *previous).bounds_reconciled) {
      notes.BoundsReconciled(kForAddition);
    }
    previous = &w.histograms[i];
  }
  if (!counter && !(first_gauge && is_gauge(last))) notes.NotGauge();
  gained.reset_hint = ResetHint::kGauge;
  model::Compact(&gained);
  return gained;
}

// Extends what was gained to the bounds of the window, as for numbers.
double ExtrapolationFactor(const MixedWindow& w, bool counter, const FloatHistogram& gained) {
  const double interval = Seconds(w.times[w.count - 1] - w.times[0]);
  const double gap = interval / static_cast<double>(w.count - 1);
  const double threshold = gap * 1.1;
  double to_start = Seconds(w.times[0] - (w.end - w.range_ms));
  double to_end = Seconds(w.end - w.times[w.count - 1]);
  if (to_start >= threshold) to_start = gap / 2;
  if (counter && gained.count > 0 && w.histograms[0].count >= 0) {
    const double to_zero = interval * (w.histograms[0].count / gained.count);
    if (to_zero < to_start) to_start = to_zero;
  }
  if (to_end >= threshold) to_end = gap / 2;
  return interval != 0 ? (interval + to_start + to_end) / interval : 1;
}

WindowResult Rate(RangeFunction::Kind kind, const MixedWindow& w, const HistogramNotes& notes) {
  if (w.mixed()) {
    notes.MixedFloatsHistograms();
    return {};
  }
  if (w.count < 2) return {};
  const bool counter = kind != RangeFunction::Kind::kDelta;
  std::optional<FloatHistogram> gained = Gained(w, counter, notes);
  if (!gained) return {};
  double factor = ExtrapolationFactor(w, counter, *gained);
  if (kind == RangeFunction::Kind::kRate)
    factor /= GoSeconds(std::chrono::milliseconds(w.range_ms));
  model::Multiply(&*gained, factor);
  return {.histogram = std::move(gained)};
}

// ---- irate, idelta ----

struct LastTwo {
  const FloatHistogram* histograms[2];  // null for a number
  double numbers[2];
  TimestampMs times[2];
};

// The two newest samples of a window that has two.
LastTwo FindLastTwo(const MixedWindow& w) {
  LastTwo two{};
  std::size_t floats = w.float_count;
  std::size_t histograms = w.count;
  for (int place = 1; place >= 0; --place) {
    const bool is_float =
        histograms == 0 || (floats > 0 && w.float_times[floats - 1] > w.times[histograms - 1]);
    if (is_float) {
      --floats;
      two.numbers[place] = w.floats[floats];
      two.times[place] = w.float_times[floats];
    } else {
      --histograms;
      two.histograms[place] = &w.histograms[histograms];
      two.times[place] = w.times[histograms];
    }
  }
  return two;
}

WindowResult Instant(bool rate, const MixedWindow& w, const HistogramNotes& notes) {
  if (w.float_count + w.count < 2) return {};
  const LastTwo two = FindLastTwo(w);
  const std::int64_t interval = two.times[1] - two.times[0];
  if (interval == 0) return {};
  const FloatHistogram* before = two.histograms[0];
  const FloatHistogram* last = two.histograms[1];
  if (before == nullptr && last == nullptr) {
    const double difference =
        rate && two.numbers[1] < two.numbers[0] ? two.numbers[1] : two.numbers[1] - two.numbers[0];
    return {.number = rate ? difference / Seconds(interval) : difference};
  }
  if (before == nullptr || last == nullptr) {
    notes.MixedFloatsHistograms();
    return {};
  }
  const bool any_gauge =
      before->reset_hint == ResetHint::kGauge || last->reset_hint == ResetHint::kGauge;
  const bool both_gauges =
      before->reset_hint == ResetHint::kGauge && last->reset_hint == ResetHint::kGauge;
  if (rate && any_gauge) notes.NotCounter();
  if (!rate && !both_gauges) notes.NotGauge();
  FloatHistogram result = *last;
  if (!rate || !model::DetectReset(*last, *before)) {
    const model::CombineOutcome outcome = model::Subtract(&result, *before);
    if (!outcome.compatible) {
      notes.MixedExponentialCustom();
      return {};
    }
    if (outcome.bounds_reconciled) notes.BoundsReconciled(kForSubtraction);
  }
  result.reset_hint = ResetHint::kGauge;
  model::Compact(&result);
  if (rate) model::Divide(&result, Seconds(interval));
  return {.histogram = std::move(result)};
}

// ---- sums, resets, changes ----

WindowResult Fold(HistogramFold fold, const MixedWindow& w, const HistogramNotes& notes) {
  if (w.mixed()) {
    notes.MixedFloatsHistograms();
    return {};
  }
  HistogramSum sum;
  for (std::size_t i = 0; i < w.count; ++i) {
    if (sum.Add(w.histograms[i], fold)) continue;
    notes.MixedExponentialCustom();
    return {};
  }
  FloatHistogram result = sum.Finish(fold);
  if (sum.reset_collision()) notes.ResetCollision(kForAggregation);
  if (sum.bounds_reconciled()) notes.BoundsReconciled(kForAggregation);
  return {.histogram = std::move(result)};
}

// How many samples differ from the one before them, a number from a histogram always.
template <typename FloatsDiffer, typename HistogramsDiffer>
double CountSteps(const MixedWindow& w, FloatsDiffer floats_differ,
                  HistogramsDiffer histograms_differ) {
  int steps = 0;
  std::size_t f = 0;
  std::size_t h = 0;
  bool any = false;
  bool before_is_float = false;
  while (f < w.float_count || h < w.count) {
    const bool is_float = h == w.count || (f < w.float_count && w.float_times[f] < w.times[h]);
    if (any && is_float != before_is_float) {
      ++steps;
    } else if (any && is_float) {
      steps += floats_differ(w.floats[f], w.floats[f - 1]) ? 1 : 0;
    } else if (any) {
      steps += histograms_differ(w.histograms[h], w.histograms[h - 1]) ? 1 : 0;
    }
    any = true;
    before_is_float = is_float;
    ++(is_float ? f : h);
  }
  return steps;
}

double ChangesIn(const MixedWindow& w) {
  return CountSteps(
      w, [](double a, double b) { return a != b && !(std::isnan(a) && std::isnan(b)); },
      [](const FloatHistogram& a, const FloatHistogram& b) { return !model::Identical(a, b); });
}

double ResetsIn(const MixedWindow& w) {
  return CountSteps(w, [](double a, double b) { return a < b; }, model::DetectReset);
}

WindowResult FirstOrLast(bool is_float, double number, const FloatHistogram& histogram) {
  if (is_float) return {.number = number};
  return {.histogram = histogram};
}

// The value of a window with histograms. `of_floats` is what its numbers alone give.
WindowResult Evaluate(const RangeFunction& function, const MixedWindow& w,
                      std::optional<double> of_floats, const HistogramNotes& notes) {
  using enum RangeFunction::OfHistograms;
  const double last_float = w.mixed() ? w.floats[w.float_count - 1] : 0;
  const double first_float = w.mixed() ? w.floats[0] : 0;
  switch (function.of_histograms) {
    case kIgnored:
      if (w.mixed()) notes.IgnoredInMixedRange();
      return {.number = of_floats};
    case kRate:
      return Rate(function.kind, w, notes);
    case kInstantRate:
      return Instant(true, w, notes);
    case kInstantDelta:
      return Instant(false, w, notes);
    case kSum:
      return Fold(HistogramFold::kSum, w, notes);
    case kMean:
      return Fold(HistogramFold::kMean, w, notes);
    case kCount:
      return {.number = static_cast<double>(w.float_count + w.count)};
    case kPresent:
      return {.number = 1};
    case kFirst:
      return FirstOrLast(w.FirstIsFloat(), first_float, w.histograms[0]);
    case kLast:
      return FirstOrLast(w.LastIsFloat(), last_float, w.histograms[w.count - 1]);
    case kTimeOfFirst:
      return {.number = Seconds(w.FirstIsFloat() ? w.float_times[0] : w.times[0])};
    case kTimeOfLast:
      return {.number = Seconds(w.LastIsFloat() ? w.float_times[w.float_count - 1]
                                                : w.times[w.count - 1])};
    case kChanges:
    case kResets:
      return {.number = CountInWindow(function.of_histograms, w)};
  }
  return {};
}

}  // namespace

double CountInWindow(RangeFunction::OfHistograms what, const MixedWindow& window) {
  return what == RangeFunction::OfHistograms::kResets ? ResetsIn(window) : ChangesIn(window);
}

Status EvaluateMixedWindows(const RangeFunction& function, const WindowSteps& steps,
                            const chunk::Columns& columns, std::string_view name,
                            WindowScratch& scratch, DeadlineCheck& deadline,
                            Annotations& annotations, RowBatch* out, std::size_t row) {
  double* values = out->values(row);
  std::uint8_t* present = out->present(row);
  RETURN_IF_ERROR(EvaluateWindows(function, steps, columns.times, columns.values, scratch, deadline,
                                  values, present));
  const HistogramNotes notes(annotations, *function.argument, name);
  const auto find = [&](const std::vector<TimestampMs>& times, TimestampMs end, std::size_t* lo,
                        std::size_t* hi) {
    while (*hi < times.size() && times[*hi] <= end) ++*hi;
    while (*lo < *hi && times[*lo] <= end - steps.range_ms) ++*lo;
  };
  std::size_t lo = 0, hi = 0, float_lo = 0, float_hi = 0;
  for (std::size_t k = 0; k < steps.size; ++k) {
    find(columns.histogram_times, steps.ends[k], &lo, &hi);
    find(columns.times, steps.ends[k], &float_lo, &float_hi);
    if (hi > lo) RETURN_IF_ERROR(deadline.After(kValuesOfHistogram * (hi - lo)));
    // Of a number and a histogram that meet at the end of a window the number alone is seen.
    const bool meet = hi > lo && float_hi > float_lo &&
                      columns.histogram_times[hi - 1] == columns.times[float_hi - 1] &&
                      columns.times[float_hi - 1] == steps.ends[k];
    const std::size_t count = hi - lo - (meet ? 1 : 0);
    if (count == 0) continue;
    const MixedWindow window{.float_times = columns.times.data() + float_lo,
                             .floats = columns.values.data() + float_lo,
                             .float_count = float_hi - float_lo,
                             .times = columns.histogram_times.data() + lo,
                             .histograms = columns.histograms.data() + lo,
                             .count = count,
                             .end = steps.ends[k],
                             .range_ms = steps.range_ms};
    WindowResult result = Evaluate(
        function, window, present[k] != 0 ? std::optional<double>(values[k]) : std::nullopt, notes);
    values[k] = result.number.value_or(0);
    present[k] = result.number ? 1 : 0;
    if (result.histogram) {
      RETURN_IF_ERROR(out->SetHistogram(
          row, k, std::make_shared<const FloatHistogram>(*std::move(result.histogram)),
          function.name));
    }
  }
  return OkStatus();
}

}  // namespace aevum::promql
