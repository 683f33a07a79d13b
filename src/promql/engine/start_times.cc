#include "promql/engine/start_times.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "base/duration.h"
#include "promql/engine/seconds.h"
#include "promql/engine/window_cursor.h"

namespace aevum::promql {
namespace {

using Kind = RangeFunction::Kind;
using OfHistograms = RangeFunction::OfHistograms;

// rate, increase, irate and resets of floats with start timestamps. What is found between two
// samples is found once a series.
class StartedWindows {
 public:
  StartedWindows(const RangeFunction& function, const WindowSteps& steps,
                 const chunk::Columns& columns)
      : function_(function),
        gains_(function.kind == Kind::kRate || function.kind == Kind::kIncrease),
        steps_(steps),
        columns_(columns) {
    for (std::size_t i = 1; i < columns.times.size(); ++i) {
      if (columns.values[i] < columns.values[i - 1] || StartedAnew(At(i), At(i - 1)))
        resets_.push_back(i);
      if (StartsOverlap(At(i), At(i - 1))) overlaps_.push_back(i);
    }
  }

  Status Evaluate(const HistogramNotes& notes, DeadlineCheck& deadline, double* values,
                  std::uint8_t* present) {
    WindowCursor window(columns_.times, steps_.range_ms);
    WindowCursor histograms(columns_.histogram_times, steps_.range_ms);
    for (std::size_t k = 0; k < steps_.size; ++k) {
      window.MoveTo(steps_.ends[k]);
      histograms.MoveTo(steps_.ends[k]);
      if (window.empty() || !histograms.empty()) continue;
      const std::optional<double> value = Value(window, steps_.ends[k]);
      values[k] = value.value_or(0);
      present[k] = value ? 1 : 0;
      // A window that stays is looked at once.
      const bool fresh = k == 0 || steps_.ends[k] != steps_.ends[k - 1];
      if (fresh && gains_ && Within(overlaps_, window).size() > 0) notes.StartOverlap();
      RETURN_IF_ERROR(deadline.After(Within(resets_, window).size()));
    }
    return OkStatus();
  }

 private:
  CountedAt At(std::size_t i) const { return {columns_.times[i], columns_.starts[i]}; }

  // The positions between the first and the last sample of a window.
  static std::span<const std::size_t> Within(const std::vector<std::size_t>& positions,
                                             const WindowCursor& window) {
    const auto first = std::upper_bound(positions.begin(), positions.end(), window.lo);
    return {first, std::lower_bound(first, positions.end(), window.hi)};
  }

  std::optional<double> Value(const WindowCursor& window, TimestampMs end) const {
    if (gains_) return Gain(window, end);
    if (function_.of_histograms == OfHistograms::kResets)
      return static_cast<double>(Within(resets_, window).size());
    return InstantRate(window);
  }

  std::optional<double> InstantRate(const WindowCursor& window) const {
    if (window.hi - window.lo < 2) return std::nullopt;
    const std::size_t last = window.hi - 1;
    const std::int64_t interval = columns_.times[last] - columns_.times[last - 1];
    const double value = columns_.values[last];
    const bool reset = std::binary_search(resets_.begin(), resets_.end(), last);
    return (reset ? value : value - columns_.values[last - 1]) / Seconds(interval);
  }

  std::optional<double> Gain(const WindowCursor& window, TimestampMs end) const {
    const std::size_t first = window.lo;
    const std::size_t last = window.hi - 1;
    const bool began = BeganWithin(At(first), end - steps_.range_ms);
    if (first == last && !began) return std::nullopt;
    double gained = columns_.values[last] - columns_.values[first];
    // In order: sums of other shapes round differently.
    for (const std::size_t i : Within(resets_, window)) gained += columns_.values[i - 1];
    if (began) gained += columns_.values[first];
    const double factor = ExtrapolationFactor({.first = At(first),
                                               .last = columns_.times[last],
                                               .gaps = last - first,
                                               .end = end,
                                               .range_ms = steps_.range_ms,
                                               .counter = true,
                                               .first_count = columns_.values[first],
                                               .gained = gained});
    return gained * (function_.kind == Kind::kRate
                         ? factor / GoSeconds(std::chrono::milliseconds(steps_.range_ms))
                         : factor);
  }

  const RangeFunction& function_;
  const bool gains_;
  const WindowSteps& steps_;
  const chunk::Columns& columns_;
  std::vector<std::size_t> resets_;    // where a count began anew
  std::vector<std::size_t> overlaps_;  // where it began too early
};

bool AnyKnown(const std::vector<TimestampMs>& starts) {
  return std::any_of(starts.begin(), starts.end(), [](TimestampMs start) { return start != 0; });
}

}  // namespace

bool StartedAnew(CountedAt sample, CountedAt previous) {
  if (sample.start == 0 || sample.start >= sample.time) return false;
  if (sample.start != previous.time) return sample.start > previous.time;
  // A cumulative counter whose start was not known begins at the sample before as well.
  return previous.start != 0 && previous.start < previous.time;
}

bool StartsOverlap(CountedAt sample, CountedAt previous) {
  return sample.start != 0 && sample.start < previous.time && sample.start != previous.start;
}

double ExtrapolationFactor(const Extent& extent) {
  const TimestampMs start = extent.end - extent.range_ms;
  double interval = Seconds(extent.last - extent.first.time);
  const double gap = extent.gaps > 0 ? interval / static_cast<double>(extent.gaps) : 0;
  const double threshold = gap * 1.1;
  double to_start = Seconds(extent.first.time - start);
  double to_end = Seconds(extent.end - extent.last);
  if (extent.counter && BeganWithin(extent.first, start)) {
    to_start = 0;
    interval = Seconds(extent.last - extent.first.start);
  } else {
    if (to_start >= threshold) to_start = gap / 2;
    if (extent.counter && extent.gained > 0 && extent.first_count >= 0) {
      // Not to before the counter was zero.
      const double to_zero = interval * (extent.first_count / extent.gained);
      if (to_zero < to_start) to_start = to_zero;
    }
  }
  if (to_end >= threshold) to_end = gap / 2;
  return interval != 0 ? (interval + to_start + to_end) / interval : 1;
}

bool UsesStarts(const RangeFunction& function) {
  return function.kind == Kind::kRate || function.kind == Kind::kIncrease ||
         function.of_histograms == OfHistograms::kInstantRate ||
         function.of_histograms == OfHistograms::kResets;
}

Status EvaluateNumbers(const RangeFunction& function, const WindowSteps& steps,
                       const chunk::Columns& columns, const HistogramNotes& notes,
                       WindowScratch& scratch, DeadlineCheck& deadline, double* values,
                       std::uint8_t* present) {
  if (columns.with_starts && AnyKnown(columns.starts))
    return StartedWindows(function, steps, columns).Evaluate(notes, deadline, values, present);
  return EvaluateWindows(function, steps, columns.times, columns.values, scratch, deadline, values,
                         present);
}

}  // namespace aevum::promql
