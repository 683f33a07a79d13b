#include "promql/engine/histogram_windows.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/duration.h"
#include "model/histogram_arithmetic.h"
#include "promql/engine/histogram_notes.h"
#include "promql/engine/histogram_sum.h"
#include "promql/engine/seconds.h"
#include "promql/engine/start_times.h"
#include "promql/engine/window_cursor.h"

namespace aevum::promql {

using model::FloatHistogram;
using model::ResetHint;

// What is the same in all windows of a series, looked at once.
class SeriesFacts {
 public:
  explicit SeriesFacts(const chunk::Columns& columns) : columns_(columns) {
    for (const FloatHistogram& h : columns.histograms) {
      uniform_ &=
          h.schema == columns.histograms.begin()->schema && h.reset_hint != ResetHint::kGauge;
    }
  }

  // All have one schema, and none is a gauge.
  bool uniform() const { return uniform_; }
  // How many counters were reset between the sample `begin` and the one before `end`.
  std::size_t ResetsBetween(std::size_t begin, std::size_t end) {
    if (resets_.empty()) FindResets();
    return resets_[end - 1] - resets_[begin];
  }

 private:
  void FindResets() {
    resets_.resize(columns_.histograms.size());
    for (std::size_t i = 1; i < resets_.size(); ++i)
      resets_[i] = resets_[i - 1] + (IsResetAt(i) ? 1 : 0);
  }
  bool IsResetAt(std::size_t i) const {
    const std::vector<TimestampMs>& times = columns_.histogram_times;
    const std::vector<TimestampMs>& starts = columns_.histogram_starts;
    return (!starts.empty() && StartedAnew({times[i], starts[i]}, {times[i - 1], starts[i - 1]})) ||
           model::DetectReset(columns_.histograms[i], columns_.histograms[i - 1]);
  }

  const chunk::Columns& columns_;
  bool uniform_ = true;
  std::vector<std::size_t> resets_;  // up to each sample
};

namespace {

CountedAt FloatAt(const MixedWindow& w, std::size_t i) {
  return {w.float_times[i], w.float_starts == nullptr ? 0 : w.float_starts[i]};
}

CountedAt HistogramAt(const MixedWindow& w, std::size_t i) {
  return {w.times[i], w.starts == nullptr ? 0 : w.starts[i]};
}

// Whether a counter was reset between histogram `i` and `previous`, which stands for the one
// before.
bool IsReset(const MixedWindow& w, std::size_t i, const FloatHistogram& previous) {
  return (w.starts != nullptr && StartedAnew(HistogramAt(w, i), HistogramAt(w, i - 1))) ||
         model::DetectReset(w.histograms[i], previous);
}

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
  const bool look_inside = counter && !w.facts->uniform();
  for (std::size_t i = 1; same && look_inside && i + 1 < w.count; ++i) {
    const FloatHistogram& h = w.histograms[i];
    if (h.reset_hint == ResetHint::kGauge) notes.NotCounter();
    schema = std::min(schema, h.schema);
    same = h.uses_custom_buckets() == custom;
  }
  if (same) return schema;
  notes.MixedExponentialCustom();
  return std::nullopt;
}

// Whether the counter was reset right before a histogram that is not the first.
bool ResetAt(const MixedWindow& w, std::size_t i) {
  return w.facts->ResetsBetween(w.first + i - 1, w.first + i + 1) > 0;
}

// Adds what the counter had at each reset. Before the first sample that is after one, which
// `start` stands for, nothing counts.
void AddResets(const MixedWindow& w, const FloatHistogram& start, bool reset_at_first,
               const HistogramNotes& notes, FloatHistogram* gained) {
  const auto add = [&](const FloatHistogram& before) {
    if (model::Add(gained, before).bounds_reconciled) notes.BoundsReconciled(kForAddition);
  };
  if (reset_at_first && model::DetectReset(w.histograms[1], start)) add(start);
  if (w.facts->ResetsBetween(w.first + 1, w.first + w.count) == 0) return;
  for (std::size_t i = 2; i < w.count; ++i) {
    if (ResetAt(w, i)) add(w.histograms[i - 1]);
  }
}

bool AnyStartsOverlap(const MixedWindow& w) {
  if (w.starts == nullptr) return false;
  for (std::size_t i = 1; i < w.count; ++i) {
    if (StartsOverlap(HistogramAt(w, i), HistogramAt(w, i - 1))) return true;
  }
  return false;
}

// What the histogram gained between the first and the last sample; null when there is no result.
std::shared_ptr<FloatHistogram> Gained(const MixedWindow& w, bool counter,
                                       const HistogramNotes& notes) {
  const FloatHistogram& last = w.histograms[w.count - 1];
  const auto is_gauge = [](const FloatHistogram& h) { return h.reset_hint == ResetHint::kGauge; };
  const bool first_gauge = is_gauge(w.histograms[0]);
  if (counter && (first_gauge || is_gauge(last))) notes.NotCounter();

  // After a reset nothing of the first sample counts, not even its layout.
  const bool reset = counter && ResetAt(w, 1);
  const FloatHistogram empty = reset ? EmptyStart(w.histograms[1]) : FloatHistogram();
  const FloatHistogram& start = reset ? empty : w.histograms[0];
  const std::optional<std::int32_t> schema = CommonSchema(w, start, counter, notes);
  if (!schema) return nullptr;

  std::shared_ptr<FloatHistogram> gained = w.memory->TakeHistogram();
  if (*schema == last.schema) {
    *gained = last;
  } else {
    *gained = model::AtSchema(last, *schema);
  }
  if (model::Subtract(gained.get(), start).bounds_reconciled)
    notes.BoundsReconciled(kForSubtraction);
  if (counter) AddResets(w, start, reset, notes, gained.get());
  if (counter && AnyStartsOverlap(w)) notes.StartOverlap();
  if (!counter && !(first_gauge && is_gauge(last))) notes.NotGauge();
  gained->reset_hint = ResetHint::kGauge;
  model::Compact(gained.get());
  return gained;
}

WindowResult Rate(RangeFunction::Kind kind, const MixedWindow& w, const HistogramNotes& notes) {
  if (w.mixed()) {
    notes.MixedFloatsHistograms();
    return {};
  }
  const bool counter = kind != RangeFunction::Kind::kDelta;
  const bool began = counter && BeganWithin(HistogramAt(w, 0), w.end - w.range_ms);
  if (w.count < 2 && !began) return {};
  std::shared_ptr<FloatHistogram> gained;
  if (w.count < 2) {
    gained = w.memory->TakeHistogram();
    *gained = w.histograms[0];
  } else {
    gained = Gained(w, counter, notes);
  }
  if (!gained) return {};
  if (began && w.count > 1) {
    const model::CombineOutcome outcome = model::Add(gained.get(), w.histograms[0]);
    if (!outcome.compatible) {
      notes.MixedExponentialCustom();
      return {};
    }
    if (outcome.bounds_reconciled) notes.BoundsReconciled(kForAddition);
  }
  double factor = ExtrapolationFactor({.first = HistogramAt(w, 0),
                                       .last = w.times[w.count - 1],
                                       .gaps = w.count - 1,
                                       .end = w.end,
                                       .range_ms = w.range_ms,
                                       .counter = counter,
                                       .first_count = w.histograms[0].count,
                                       .gained = gained->count});
  if (kind == RangeFunction::Kind::kRate)
    factor /= GoSeconds(std::chrono::milliseconds(w.range_ms));
  model::Multiply(gained.get(), factor);
  return {.histogram = std::move(gained)};
}

// ---- irate, idelta ----

struct LastTwo {
  const FloatHistogram* histograms[2];  // null for a number
  double numbers[2];
  CountedAt at[2];
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
      two.at[place] = FloatAt(w, floats);
    } else {
      --histograms;
      two.histograms[place] = &w.histograms[histograms];
      two.at[place] = HistogramAt(w, histograms);
    }
  }
  return two;
}

WindowResult Instant(bool rate, const MixedWindow& w, const HistogramNotes& notes) {
  if (w.float_count + w.count < 2) return {};
  const LastTwo two = FindLastTwo(w);
  const std::int64_t interval = two.at[1].time - two.at[0].time;
  if (interval == 0) return {};
  const bool anew = rate && StartedAnew(two.at[1], two.at[0]);
  const FloatHistogram* before = two.histograms[0];
  const FloatHistogram* last = two.histograms[1];
  if (before == nullptr && last == nullptr) {
    const double difference = anew || (rate && two.numbers[1] < two.numbers[0])
                                  ? two.numbers[1]
                                  : two.numbers[1] - two.numbers[0];
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
  std::shared_ptr<FloatHistogram> result = w.memory->TakeHistogram();
  *result = *last;
  if (!rate || !(anew || model::DetectReset(*last, *before))) {
    const model::CombineOutcome outcome = model::Subtract(result.get(), *before);
    if (!outcome.compatible) {
      notes.MixedExponentialCustom();
      return {};
    }
    if (outcome.bounds_reconciled) notes.BoundsReconciled(kForSubtraction);
  }
  result->reset_hint = ResetHint::kGauge;
  model::Compact(result.get());
  if (rate) model::Divide(result.get(), Seconds(interval));
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
  std::shared_ptr<FloatHistogram> result = w.memory->TakeHistogram();
  *result = sum.Finish(fold);
  if (sum.reset_collision()) notes.ResetCollision(kForAggregation);
  if (sum.bounds_reconciled()) notes.BoundsReconciled(kForAggregation);
  return {.histogram = std::move(result)};
}

// How many samples differ from the one before them, a number from a histogram always. The functions
// compare the sample at a position of its lane with the one before it.
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
      steps += floats_differ(f) ? 1 : 0;
    } else if (any) {
      steps += histograms_differ(h) ? 1 : 0;
    }
    any = true;
    before_is_float = is_float;
    ++(is_float ? f : h);
  }
  return steps;
}

double ChangesIn(const MixedWindow& w) {
  return CountSteps(
      w,
      [&](std::size_t i) {
        const double value = w.floats[i];
        const double before = w.floats[i - 1];
        return value != before && !(std::isnan(value) && std::isnan(before));
      },
      [&](std::size_t i) { return !model::Identical(w.histograms[i], w.histograms[i - 1]); });
}

double ResetsIn(const MixedWindow& w) {
  return CountSteps(
      w,
      [&](std::size_t i) {
        return w.floats[i] < w.floats[i - 1] ||
               (w.float_starts != nullptr && StartedAnew(FloatAt(w, i), FloatAt(w, i - 1)));
      },
      [&](std::size_t i) { return IsReset(w, i, w.histograms[i - 1]); });
}

WindowResult FirstOrLast(const MixedWindow& w, bool is_float, double number,
                         const FloatHistogram& histogram) {
  if (is_float) return {.number = number};
  std::shared_ptr<FloatHistogram> copy = w.memory->TakeHistogram();
  *copy = histogram;
  return {.histogram = std::move(copy)};
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
      return FirstOrLast(w, w.FirstIsFloat(), first_float, w.histograms[0]);
    case kLast:
      return FirstOrLast(w, w.LastIsFloat(), last_float, w.histograms[w.count - 1]);
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

MixedWindow MixedWindowOf(const chunk::Columns& columns, std::size_t float_lo, std::size_t float_hi,
                          std::size_t lo, std::size_t hi) {
  const bool starts = columns.with_starts;
  return {.float_times = columns.times.data() + float_lo,
          .floats = columns.values.data() + float_lo,
          .float_count = float_hi - float_lo,
          .times = columns.histogram_times.data() + lo,
          .histograms = columns.histograms.data() + lo,
          .count = hi - lo,
          .end = 0,
          .range_ms = 0,
          .float_starts = starts ? columns.starts.data() + float_lo : nullptr,
          .starts = starts ? columns.histogram_starts.data() + lo : nullptr};
}

double CountInWindow(RangeFunction::OfHistograms what, const MixedWindow& window) {
  return what == RangeFunction::OfHistograms::kResets ? ResetsIn(window) : ChangesIn(window);
}

Status EvaluateMixedWindows(const RangeFunction& function, const WindowSteps& steps,
                            const chunk::Columns& columns, std::string_view name,
                            WindowScratch& scratch, DeadlineCheck& deadline,
                            Annotations& annotations, RowBatch* out, std::size_t row) {
  double* values = out->values(row);
  std::uint8_t* present = out->present(row);
  const HistogramNotes notes(annotations, *function.argument, name);
  SeriesFacts facts(columns);
  RETURN_IF_ERROR(
      EvaluateNumbers(function, steps, columns, notes, scratch, deadline, values, present));
  WindowCursor floats(columns.times, steps.range_ms);
  WindowCursor histograms(columns.histogram_times, steps.range_ms);
  for (std::size_t k = 0; k < steps.size; ++k) {
    histograms.MoveTo(steps.ends[k]);
    floats.MoveTo(steps.ends[k]);
    if (!histograms.empty())
      RETURN_IF_ERROR(deadline.After(kValuesOfHistogram * (histograms.hi - histograms.lo)));
    // Of a number and a histogram that meet at the end of a window the number alone is seen.
    const bool meet = !histograms.empty() && !floats.empty() &&
                      columns.histogram_times[histograms.hi - 1] == steps.ends[k] &&
                      columns.times[floats.hi - 1] == steps.ends[k];
    const std::size_t hi = histograms.hi - (meet ? 1 : 0);
    if (histograms.lo == hi) continue;
    const bool again = k > 0 && steps.ends[k] == steps.ends[k - 1];
    if (again && function.of_histograms != RangeFunction::OfHistograms::kIgnored) {
      values[k] = values[k - 1];
      present[k] = present[k - 1];
      const HistogramPtr* lane = out->histograms(row);
      if (lane != nullptr && lane[k - 1] != nullptr)
        RETURN_IF_ERROR(out->SetHistogram(row, k, lane[k - 1], function.name));
      continue;
    }
    MixedWindow window = MixedWindowOf(columns, floats.lo, floats.hi, histograms.lo, hi);
    window.end = steps.ends[k];
    window.range_ms = steps.range_ms;
    window.first = histograms.lo;
    window.facts = &facts;
    window.memory = out;
    WindowResult result = Evaluate(
        function, window, present[k] != 0 ? std::optional<double>(values[k]) : std::nullopt, notes);
    values[k] = result.number.value_or(0);
    present[k] = result.number ? 1 : 0;
    if (result.histogram != nullptr)
      RETURN_IF_ERROR(out->SetHistogram(row, k, std::move(result.histogram), function.name));
  }
  return OkStatus();
}

}  // namespace aevum::promql
