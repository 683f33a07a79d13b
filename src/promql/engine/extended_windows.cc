#include "promql/engine/extended_windows.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/duration.h"
#include "model/histogram_arithmetic.h"
#include "promql/engine/histogram_windows.h"
#include "promql/engine/interpolation.h"
#include "promql/engine/row_kernels.h"

namespace aevum::promql {
namespace {

using model::FloatHistogram;
using model::ResetHint;

struct Bounds {
  TimestampMs start;
  TimestampMs end;
  bool smoothed;
};

// The samples that stand for the bounds of a window; one and the same when there is only one. Where
// a bound is interpolated, they are the ones beyond it.
struct Ends {
  std::size_t first;
  std::size_t last;
};

// The samples of one lane that each window sees, in turn.
class Cursor {
 public:
  Cursor(const std::vector<TimestampMs>& times, const Extension& extension)
      : times_(times), extension_(extension) {}

  void MoveTo(const Bounds& bounds) {
    Advance(&hi_, Moved(bounds.end, extension_.ahead_ms()));
    Advance(&lo_, Moved(bounds.start, -extension_.back_ms()));
    Advance(&inside_, bounds.start);
    Advance(&reached_, Moved(bounds.end, -1));
  }

  bool empty() const { return lo_ == hi_; }
  std::size_t size() const { return hi_ - lo_; }
  std::size_t hi() const { return hi_; }
  // The first sample after the start; hi() when there is none.
  std::size_t inside() const { return inside_; }
  // Whether a sample at or before the start is seen: inside() - 1.
  bool has_anchor() const { return inside_ > lo_; }

  // Nothing when no sample that is seen lies after the start, or, smoothed, none before the end.
  std::optional<Ends> FindEnds(const Bounds& bounds) const {
    if (inside_ == hi_) return std::nullopt;
    const Ends ends = {.first = has_anchor() ? inside_ - 1 : inside_,
                       .last = bounds.smoothed ? std::min(reached_, hi_ - 1) : hi_ - 1};
    if (bounds.smoothed && times_[ends.first] > bounds.end) return std::nullopt;
    return ends;
  }

 private:
  // To the first sample after `time`.
  void Advance(std::size_t* at, TimestampMs time) const {
    while (*at < times_.size() && times_[*at] <= time) ++*at;
  }

  const std::vector<TimestampMs>& times_;
  const Extension extension_;
  std::size_t lo_ = 0;       // the first that is seen
  std::size_t hi_ = 0;       // behind the last that is seen
  std::size_t inside_ = 0;   // the first after the start
  std::size_t reached_ = 0;  // the first at or after the end
};

// ---- numbers ----

// The values at the bounds of a window, and the samples [lo, hi) between them.
struct BoundValues {
  double left;
  double right;
  std::size_t lo;
  std::size_t hi;
};

BoundValues ValuesAt(const Bounds& bounds, Ends ends, const TimestampMs* times,
                     const double* values, bool counter) {
  const auto [first, last] = ends;
  const auto sample = [&](std::size_t i) { return SampleAt<double>{times[i], values[i]}; };
  BoundValues at = {.left = values[first], .right = values[last], .lo = first, .hi = last + 1};
  if (bounds.smoothed && times[first] < bounds.start)
    at.left = Interpolate(sample(first), sample(first + 1), bounds.start, counter);
  if (bounds.smoothed && last > first && times[last] > bounds.end)
    at.right = Interpolate(sample(last - 1), sample(last), bounds.end, counter);
  if (times[first] <= bounds.start) ++at.lo;
  if (times[last] >= bounds.end) --at.hi;
  at.hi = std::max(at.lo, at.hi);
  return at;
}

// rate, increase and delta of the numbers of each window in turn.
class NumberGains {
 public:
  NumberGains(const chunk::Columns& columns, bool counter) : columns_(columns), counter_(counter) {
    if (!counter || !AnyDecrease(columns.values)) return;
    for (std::size_t i = 1; i < columns.values.size(); ++i)
      if (columns.values[i] < columns.values[i - 1]) resets_.push_back(i);
  }

  double Of(const Bounds& bounds, Ends ends) {
    const double* values = columns_.values.data();
    const BoundValues at = ValuesAt(bounds, ends, columns_.times.data(), values, counter_);
    const double gained = at.right - at.left;
    if (!counter_) return gained;
    // What was counted before each reset, in order: sums of other shapes round differently.
    double lost = 0;
    double before_right = at.left;
    if (at.lo < at.hi) {
      if (values[at.lo] < at.left) lost += at.left;
      while (next_ < resets_.size() && resets_[next_] <= at.lo) ++next_;
      for (std::size_t r = next_; r < resets_.size() && resets_[r] < at.hi; ++r)
        lost += values[resets_[r] - 1];
      before_right = values[at.hi - 1];
    }
    if (at.right < before_right) lost += before_right;
    return gained + lost;
  }

 private:
  const chunk::Columns& columns_;
  const bool counter_;
  std::vector<std::size_t> resets_;  // where a sample is smaller than the one before it
  std::size_t next_ = 0;             // of them, behind the start of the window
};

// ---- histograms ----

// rate, increase and delta of the histograms of a window.
class HistogramGain {
 public:
  HistogramGain(const chunk::Columns& columns, bool counter, const HistogramNotes& notes)
      : times_(columns.histogram_times),
        histograms_(columns.histograms),
        counter_(counter),
        notes_(notes) {}

  std::optional<FloatHistogram> Of(const Bounds& bounds, Ends ends) const {
    if (!Fit(ends)) return std::nullopt;
    const std::optional<FloatHistogram> left =
        bounds.smoothed && times_[ends.first] < bounds.start
            ? Between(ends.first, ends.first + 1, bounds.start)
            : histograms_[ends.first];
    const std::optional<FloatHistogram> right = bounds.smoothed && times_[ends.last] > bounds.end
                                                    ? Between(ends.last - 1, ends.last, bounds.end)
                                                    : histograms_[ends.last];
    if (!left || !right) return std::nullopt;
    if (!counter_ && (!IsGauge(*left) || !IsGauge(*right))) notes_.NotGauge();
    FloatHistogram gained = *right;
    if (model::Subtract(&gained, *left).bounds_reconciled) notes_.BoundsReconciled(kForSubtraction);
    if (counter_) {
      const std::optional<FloatHistogram> lost = LostByResets(bounds, ends, *left, *right);
      if (lost) Add(&gained, *lost);
    }
    return gained;
  }

 private:
  static bool IsGauge(const FloatHistogram& h) { return h.reset_hint == ResetHint::kGauge; }

  void Add(FloatHistogram* sum, const FloatHistogram& other) const {
    if (model::Add(sum, other).bounds_reconciled) notes_.BoundsReconciled(kForAddition);
  }

  std::optional<FloatHistogram> Between(std::size_t before, std::size_t after,
                                        TimestampMs time) const {
    return Interpolate(SampleAt<FloatHistogram>{times_[before], histograms_[before]},
                       SampleAt<FloatHistogram>{times_[after], histograms_[after]}, time, counter_,
                       notes_);
  }

  // Whether the samples have buckets of one kind.
  bool Fit(Ends ends) const {
    const bool custom = histograms_[ends.first].uses_custom_buckets();
    for (std::size_t i = ends.first; i <= ends.last; ++i) {
      if (histograms_[i].uses_custom_buckets() != custom) {
        notes_.MixedExponentialCustom();
        return false;
      }
      if (counter_ && IsGauge(histograms_[i])) notes_.NotCounter();
    }
    return true;
  }

  // What was counted before each reset of the window; nothing without a reset.
  std::optional<FloatHistogram> LostByResets(const Bounds& bounds, Ends ends,
                                             const FloatHistogram& left,
                                             const FloatHistogram& right) const {
    std::size_t next = ends.first + 1;
    const FloatHistogram* previous = &left;
    if (bounds.smoothed && times_[ends.first] < bounds.start &&
        model::DetectReset(histograms_[next], histograms_[ends.first])) {
      // The value at the start is one after this reset.
      previous = &histograms_[next++];
    }
    if (next > ends.last) return std::nullopt;
    std::optional<FloatHistogram> lost;
    const auto look_at = [&](const FloatHistogram& h) {
      if (model::DetectReset(h, *previous)) {
        if (lost) {
          Add(&*lost, *previous);
        } else {
          lost = *previous;
        }
      }
      previous = &h;
    };
    // The last sample is looked at as the value at the end, which has its hint.
    for (; next < ends.last; ++next) look_at(histograms_[next]);
    look_at(right);
    return lost;
  }

  const std::vector<TimestampMs>& times_;
  const model::HistogramColumn& histograms_;
  const bool counter_;
  const HistogramNotes& notes_;
};

// Goes through the windows of a series.
class ExtendedWindows {
 public:
  ExtendedWindows(const RangeFunction& function, const WindowSteps& steps,
                  const chunk::Columns& columns, const HistogramNotes& notes)
      : function_(function),
        steps_(steps),
        columns_(columns),
        notes_(notes),
        floats_(columns.times, function.extension),
        histograms_(columns.histogram_times, function.extension),
        numbers_(columns, counter()),
        gain_(columns, counter(), notes) {}

  Status Fill(DeadlineCheck& deadline, RowBatch* out, std::size_t row) {
    for (std::size_t k = 0; k < steps_.size; ++k) {
      const Bounds bounds = {.start = Moved(steps_.ends[k], -steps_.range_ms),
                             .end = steps_.ends[k],
                             .smoothed = function_.extension.kind == Extension::Kind::kSmoothed};
      floats_.MoveTo(bounds);
      histograms_.MoveTo(bounds);
      RETURN_IF_ERROR(deadline.After(floats_.size() + kValuesOfHistogram * histograms_.size()));
      WindowResult result = function_.kind == RangeFunction::Kind::kRow ? Count() : Gain(bounds);
      if (result.number) {
        out->values(row)[k] = *result.number;
        out->present(row)[k] = 1;
      } else if (result.histogram != nullptr) {
        RETURN_IF_ERROR(out->SetHistogram(row, k, std::move(result.histogram), function_.name));
      }
    }
    return OkStatus();
  }

 private:
  bool counter() const {
    return function_.kind == RangeFunction::Kind::kRate ||
           function_.kind == RangeFunction::Kind::kIncrease;
  }

  WindowResult Gain(const Bounds& bounds) {
    if (floats_.empty() && histograms_.empty()) return {};
    if (!floats_.empty() && !histograms_.empty()) {
      notes_.MixedFloatsHistograms();
      return {};
    }
    const bool rate = function_.kind == RangeFunction::Kind::kRate;
    const Cursor& cursor = floats_.empty() ? histograms_ : floats_;
    const std::optional<Ends> ends = cursor.FindEnds(bounds);
    if (!ends) return {};
    if (!floats_.empty()) {
      const double gained = numbers_.Of(bounds, *ends);
      return {.number =
                  rate ? gained / GoSeconds(std::chrono::milliseconds(steps_.range_ms)) : gained};
    }
    std::optional<FloatHistogram> gained = gain_.Of(bounds, *ends);
    if (!gained) return {};
    if (rate) model::Divide(&*gained, GoSeconds(std::chrono::milliseconds(steps_.range_ms)));
    gained->reset_hint = ResetHint::kGauge;
    model::Compact(&*gained);
    return {.histogram = std::make_shared<FloatHistogram>(*std::move(gained))};
  }

  // resets and changes from the anchor on: the newest sample of both lanes at or before the start.
  WindowResult Count() const {
    std::size_t first_float = floats_.inside();
    std::size_t first = histograms_.inside();
    if (first_float == floats_.hi() && first == histograms_.hi()) return {};
    if (floats_.has_anchor() &&
        (!histograms_.has_anchor() ||
         columns_.times[first_float - 1] >= columns_.histogram_times[first - 1])) {
      --first_float;
    } else if (histograms_.has_anchor()) {
      --first;
    }
    return {.number = CountInWindow(
                function_.of_histograms,
                MixedWindowOf(columns_, first_float, floats_.hi(), first, histograms_.hi()))};
  }

  const RangeFunction& function_;
  const WindowSteps& steps_;
  const chunk::Columns& columns_;
  const HistogramNotes& notes_;
  Cursor floats_;
  Cursor histograms_;
  NumberGains numbers_;
  const HistogramGain gain_;
};

}  // namespace

Status EvaluateExtendedWindows(const RangeFunction& function, const WindowSteps& steps,
                               const chunk::Columns& columns, std::string_view name,
                               DeadlineCheck& deadline, Annotations& annotations, RowBatch* out,
                               std::size_t row) {
  const HistogramNotes notes(annotations, *function.argument, name);
  return ExtendedWindows(function, steps, columns, notes).Fill(deadline, out, row);
}

void BoundSamples(const Extension& extension, TimestampMs start, TimestampMs end,
                  std::vector<TimestampMs>* times, std::vector<double>* values) {
  const Bounds bounds = {
      .start = start, .end = end, .smoothed = extension.kind == Extension::Kind::kSmoothed};
  const auto inside = std::upper_bound(times->begin(), times->end(), start) - times->begin();
  if (inside == std::ssize(*times)) {
    times->clear();
    values->clear();
    return;
  }
  const auto reached = std::lower_bound(times->begin(), times->end(), end) - times->begin();
  const std::size_t last = times->size() - 1;
  const Ends ends = {
      .first = static_cast<std::size_t>(std::max<std::ptrdiff_t>(inside - 1, 0)),
      .last = bounds.smoothed ? std::min(static_cast<std::size_t>(reached), last) : last};
  const BoundValues at = ValuesAt(bounds, ends, times->data(), values->data(), false);
  std::vector<TimestampMs> kept_times = {start};
  std::vector<double> kept = {at.left};
  for (std::size_t i = at.lo; i < at.hi; ++i) {
    kept_times.push_back((*times)[i]);
    kept.push_back((*values)[i]);
  }
  kept_times.push_back(end);
  kept.push_back(at.right);
  *times = std::move(kept_times);
  *values = std::move(kept);
}

}  // namespace aevum::promql
