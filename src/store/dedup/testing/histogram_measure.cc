#include "store/dedup/testing/histogram_measure.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "model/histogram_arithmetic.h"
#include "promql/functions/native_histograms.h"

namespace aevum::store::dedup::testing {
namespace {

using chunk::Columns;
using model::FloatHistogram;
using model::ResetHint;

struct Sample {
  TimestampMs time = 0;
  const FloatHistogram* histogram = nullptr;
};

// The live histograms in (from, end].
std::vector<Sample> HistogramsIn(const Columns& columns, TimestampMs from, TimestampMs end) {
  std::vector<Sample> window;
  const std::vector<TimestampMs>& times = columns.histogram_times;
  for (auto time = std::upper_bound(times.begin(), times.end(), from);
       time != times.end() && *time <= end; ++time) {
    const FloatHistogram& h = columns.histograms[static_cast<std::size_t>(time - times.begin())];
    if (!chunk::IsStale(h.sum)) window.push_back({.time = *time, .histogram = &h});
  }
  return window;
}

double Extrapolation(const std::vector<Sample>& window, double increase, TimestampMs from,
                     TimestampMs end) {
  const auto sampled = static_cast<double>(window.back().time - window.front().time);
  const double step = sampled / static_cast<double>(window.size() - 1);
  auto to_start = static_cast<double>(window.front().time - from);
  auto to_end = static_cast<double>(end - window.back().time);
  if (to_start >= step * 1.1) to_start = step / 2;
  if (increase > 0) {
    to_start = std::min(to_start, sampled * (window.front().histogram->count / increase));
  }
  if (to_end >= step * 1.1) to_end = step / 2;
  return (sampled + to_start + to_end) / sampled;
}

std::optional<FloatHistogram> IncreaseOf(const std::vector<Sample>& window, TimestampMs from,
                                         TimestampMs end) {
  if (window.size() < 2) return std::nullopt;
  FloatHistogram increase = *window.back().histogram;
  for (std::size_t i = 1; i < window.size(); ++i) {
    if (model::DetectReset(*window[i].histogram, *window[i - 1].histogram)) {
      model::Add(&increase, *window[i - 1].histogram);
    }
  }
  model::Subtract(&increase, *window.front().histogram);
  model::Multiply(&increase, Extrapolation(window, increase.count, from, end));
  return increase;
}

std::optional<FloatHistogram> AverageOf(const std::vector<Sample>& window) {
  if (window.empty()) return std::nullopt;
  FloatHistogram sum = *window.front().histogram;
  for (std::size_t i = 1; i < window.size(); ++i) model::Add(&sum, *window[i].histogram);
  model::Divide(&sum, static_cast<double>(window.size()));
  return sum;
}

double BucketError(const FloatHistogram& answer, const FloatHistogram& truth) {
  FloatHistogram difference = answer;
  model::Subtract(&difference, truth);
  double sum = std::abs(difference.zero_count);
  for (const double bucket : difference.positive_buckets) sum += std::abs(bucket);
  return sum;
}

void MeasureWindow(const HistogramCase& c, const HistogramCase::Window& window,
                   const Columns& columns, HistogramMeasure* measure) {
  const std::vector<Sample> samples = HistogramsIn(columns, window.from, window.end);
  const std::optional<FloatHistogram> answer =
      c.process.is_gauge() ? AverageOf(samples) : IncreaseOf(samples, window.from, window.end);
  ++measure->windows;
  if (!answer) {
    ++measure->missing;
    return;
  }
  if (c.scale <= 0) return;
  measure->count_errors.push_back(std::abs(answer->count - window.truth.count) / c.scale);
  measure->bucket_errors.push_back(BucketError(*answer, window.truth) / c.scale);
  const double ours = promql::functions::NativeQuantile(0.9, *answer).value;
  const double truth = promql::functions::NativeQuantile(0.9, window.truth).value;
  if (ours > 0 && truth > 0) {
    measure->quantile_errors.push_back(std::abs(std::log2(ours / truth)));
  }
}

// Resets that no restart explains, as the numbers show them; and hints that contradict them.
void MeasureResets(const HistogramCase& c, const Columns& columns, HistogramMeasure* measure) {
  const std::vector<Sample> samples = HistogramsIn(columns, kMinTime, kMaxTime);
  const TimestampMs slack = c.design.slack();
  for (std::size_t i = 1; i < samples.size(); ++i) {
    FloatHistogram here = *samples[i].histogram;
    FloatHistogram before = *samples[i - 1].histogram;
    const ResetHint hint = std::exchange(here.reset_hint, ResetHint::kUnknown);
    before.reset_hint = ResetHint::kUnknown;
    const bool falls = model::DetectReset(here, before);
    const bool explained =
        c.process.process().RestartsIn(samples[i - 1].time - slack, samples[i].time + slack);
    measure->false_resets += falls && !explained ? 1 : 0;
    measure->wrong_hints += hint == ResetHint::kNoReset && falls ? 1 : 0;
    measure->wrong_hints += hint == ResetHint::kReset && !falls ? 1 : 0;
  }
}

int ChangesOfKind(const Columns& columns) {
  int changes = 0;
  std::size_t f = 0;
  std::size_t h = 0;
  std::optional<bool> last;
  while (f < columns.times.size() || h < columns.histogram_times.size()) {
    const bool is_float =
        f < columns.times.size() &&
        (h == columns.histogram_times.size() || columns.times[f] <= columns.histogram_times[h]);
    changes += last && *last != is_float ? 1 : 0;
    last = is_float;
    ++(is_float ? f : h);
  }
  return changes;
}

}  // namespace

HistogramMeasure MeasureHistograms(const HistogramCase& c, const Columns& columns) {
  HistogramMeasure measure;
  for (const HistogramCase::Window& window : c.windows) {
    if (c.process.IsFloat(window.from + c.design.slack())) continue;
    MeasureWindow(c, window, columns, &measure);
  }
  if (!c.process.is_gauge()) MeasureResets(c, columns, &measure);
  measure.extra_changes = std::max(0, ChangesOfKind(columns) - 1);
  measure.samples = static_cast<int>(columns.times.size() + columns.histogram_times.size());
  return measure;
}

}  // namespace aevum::store::dedup::testing
