#include "promql/engine/range_function.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "promql/engine/kahan.h"
#include "promql/engine/row_kernels.h"

namespace aevum::promql {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double Seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

// ---- functions over one window ----

std::optional<double> SumOverTime(const Window& w) {
  KahanSum sum;
  for (std::size_t i = 0; i < w.size; ++i) sum.Add(w.values[i]);
  return sum.Total();
}

std::optional<double> AvgOverTime(const Window& w) {
  KahanMean mean;
  for (std::size_t i = 0; i < w.size; ++i) mean.Add(w.values[i]);
  return mean.Mean();
}

std::optional<double> CountOverTime(const Window& w) { return static_cast<double>(w.size); }
std::optional<double> PresentOverTime(const Window& /*w*/) { return 1; }
std::optional<double> LastOverTime(const Window& w) { return w.last(); }
std::optional<double> FirstOverTime(const Window& w) { return w.values[0]; }

// The index of the extreme that the reference finds: the first one, over NaN.
template <typename Better>
std::size_t Extreme(const Window& w, Better better) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < w.size; ++i) {
    if (better(w.values[i], w.values[best]) || std::isnan(w.values[best])) best = i;
  }
  return best;
}

std::optional<double> MaxOverTime(const Window& w) {
  return w.values[Extreme(w, std::greater<>())];
}
std::optional<double> MinOverTime(const Window& w) { return w.values[Extreme(w, std::less<>())]; }
std::optional<double> TimeOfMax(const Window& w) {
  return Seconds(w.times[Extreme(w, std::greater_equal<>())]);
}
std::optional<double> TimeOfMin(const Window& w) {
  return Seconds(w.times[Extreme(w, std::less_equal<>())]);
}
std::optional<double> TimeOfLast(const Window& w) { return Seconds(w.times[w.size - 1]); }
std::optional<double> TimeOfFirst(const Window& w) { return Seconds(w.times[0]); }

double Variance(const Window& w) {
  double count = 0;
  KahanSum mean;
  KahanSum squares;
  for (std::size_t i = 0; i < w.size; ++i) {
    count += 1;
    const double delta = w.values[i] - (mean.sum + mean.compensation);
    mean.Add(delta / count);
    squares.Add(delta * (w.values[i] - (mean.sum + mean.compensation)));
  }
  return (squares.sum + squares.compensation) / count;
}

std::optional<double> StdvarOverTime(const Window& w) { return Variance(w); }
std::optional<double> StddevOverTime(const Window& w) { return std::sqrt(Variance(w)); }

std::optional<double> QuantileOverTime(const Window& w) {
  std::vector<double> values(w.values, w.values + w.size);
  return Quantile(w.parameter, &values);
}

std::optional<double> MadOverTime(const Window& w) {
  std::vector<double> values(w.values, w.values + w.size);
  if (std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); }))
    return kNan;
  const double median = Quantile(0.5, &values);
  for (double& value : values) value = std::abs(value - median);
  return Quantile(0.5, &values);
}

std::optional<double> Resets(const Window& w) {
  int resets = 0;
  for (std::size_t i = 1; i < w.size; ++i) resets += w.values[i] < w.values[i - 1] ? 1 : 0;
  return resets;
}

std::optional<double> Changes(const Window& w) {
  int changes = 0;
  for (std::size_t i = 1; i < w.size; ++i) {
    const bool both_nan = std::isnan(w.values[i]) && std::isnan(w.values[i - 1]);
    changes += w.values[i] != w.values[i - 1] && !both_nan ? 1 : 0;
  }
  return changes;
}

std::optional<double> Idelta(const Window& w) {
  if (w.size < 2 || w.times[w.size - 1] == w.times[w.size - 2]) return std::nullopt;
  return w.last() - w.values[w.size - 2];
}

std::optional<double> Irate(const Window& w) {
  if (w.size < 2) return std::nullopt;
  const std::int64_t interval = w.times[w.size - 1] - w.times[w.size - 2];
  if (interval == 0) return std::nullopt;
  const double previous = w.values[w.size - 2];
  // After a reset the counter counted from zero.
  const double increase = w.last() < previous ? w.last() : w.last() - previous;
  return increase / Seconds(interval);
}

struct Line {
  double slope;
  double intercept;
};

// The least-squares line through the samples; x is the seconds since `origin`.
Line LinearRegression(const Window& w, TimestampMs origin) {
  KahanSum x, y, xy, x2;
  bool constant = true;
  for (std::size_t i = 0; i < w.size; ++i) {
    if (i > 0 && w.values[i] != w.values[0]) constant = false;
    const double at = Seconds(w.times[i] - origin);
    x.Add(at);
    y.Add(w.values[i]);
    xy.Add(at * w.values[i]);
    x2.Add(at * at);
  }
  if (constant) {
    if (std::isinf(w.values[0])) return {kNan, kNan};
    return {0, w.values[0]};
  }
  const auto n = static_cast<double>(w.size);
  const double sum_x = x.sum + x.compensation;
  const double sum_y = y.sum + y.compensation;
  const double covariance = (xy.sum + xy.compensation) - sum_x * sum_y / n;
  const double variance = (x2.sum + x2.compensation) - sum_x * sum_x / n;
  const double slope = covariance / variance;
  return {slope, sum_y / n - slope * sum_x / n};
}

std::optional<double> Deriv(const Window& w) {
  if (w.size < 2) return std::nullopt;
  return LinearRegression(w, w.times[0]).slope;
}

std::optional<double> PredictLinear(const Window& w) {
  if (w.size < 2) return std::nullopt;
  const Line line = LinearRegression(w, w.step);
  return line.slope * w.parameter + line.intercept;
}

std::optional<double> DoubleExponentialSmoothing(const Window& w) {
  if (w.size < 2) return std::nullopt;
  const double smoothing = w.parameter;
  const double trend_factor = w.parameter2;
  double before = 0;
  double smoothed = w.values[0];
  double trend = w.values[1] - w.values[0];
  for (std::size_t i = 1; i < w.size; ++i) {
    if (i > 1) trend = trend_factor * (smoothed - before) + (1 - trend_factor) * trend;
    const double next = smoothing * w.values[i] + (1 - smoothing) * (smoothed + trend);
    before = smoothed;
    smoothed = next;
  }
  return smoothed;
}

using Kind = RangeFunction::Kind;

using Of = RangeFunction::OfHistograms;

constexpr bool kKeepsName = true;

struct Entry {
  std::string_view name;
  Kind kind;
  WindowFunction window;
  Of of_histograms = Of::kIgnored;
  bool keeps_name = false;
  bool is_counter = false;
};

constexpr std::array<Entry, 27> kFunctions = {{
    {"rate", Kind::kRate, nullptr, Of::kRate, false, true},
    {"increase", Kind::kIncrease, nullptr, Of::kRate, false, true},
    {"delta", Kind::kDelta, nullptr, Of::kRate},
    {"irate", Kind::kWindow, Irate, Of::kInstantRate},
    {"idelta", Kind::kWindow, Idelta, Of::kInstantDelta},
    {"deriv", Kind::kWindow, Deriv},
    {"predict_linear", Kind::kWindow, PredictLinear},
    {"double_exponential_smoothing", Kind::kWindow, DoubleExponentialSmoothing},
    {"resets", Kind::kWindow, Resets, Of::kResets},
    {"changes", Kind::kWindow, Changes, Of::kChanges},
    {"sum_over_time", Kind::kWindow, SumOverTime, Of::kSum},
    {"avg_over_time", Kind::kWindow, AvgOverTime, Of::kMean},
    {"min_over_time", Kind::kWindow, MinOverTime},
    {"max_over_time", Kind::kWindow, MaxOverTime},
    {"count_over_time", Kind::kWindow, CountOverTime, Of::kCount},
    {"last_over_time", Kind::kWindow, LastOverTime, Of::kLast, kKeepsName},
    {"first_over_time", Kind::kWindow, FirstOverTime, Of::kFirst, kKeepsName},
    {"present_over_time", Kind::kWindow, PresentOverTime, Of::kPresent},
    {"absent_over_time", Kind::kWindow, PresentOverTime, Of::kPresent},
    {"stddev_over_time", Kind::kWindow, StddevOverTime},
    {"stdvar_over_time", Kind::kWindow, StdvarOverTime},
    {"quantile_over_time", Kind::kWindow, QuantileOverTime},
    {"mad_over_time", Kind::kWindow, MadOverTime},
    {"ts_of_min_over_time", Kind::kWindow, TimeOfMin},
    {"ts_of_max_over_time", Kind::kWindow, TimeOfMax},
    {"ts_of_last_over_time", Kind::kWindow, TimeOfLast, Of::kTimeOfLast},
    {"ts_of_first_over_time", Kind::kWindow, TimeOfFirst, Of::kTimeOfFirst},
}};

// ---- windows that advance ----

// The samples [lo, hi) of each window in turn.
class Cursor {
 public:
  Cursor(const std::vector<TimestampMs>& times, std::int64_t range_ms)
      : times_(times), range_ms_(range_ms) {}

  void MoveTo(TimestampMs end) {
    while (hi < times_.size() && times_[hi] <= end) ++hi;
    while (lo < hi && times_[lo] <= end - range_ms_) ++lo;
  }
  std::size_t lo = 0;
  std::size_t hi = 0;

 private:
  const std::vector<TimestampMs>& times_;
  const std::int64_t range_ms_;
};

void EvaluateEachWindow(const RangeFunction& function, const WindowSteps& steps,
                        const std::vector<TimestampMs>& times, const std::vector<double>& samples,
                        double* values, std::uint8_t* present) {
  Cursor cursor(times, steps.range_ms);
  for (std::size_t k = 0; k < steps.size; ++k) {
    cursor.MoveTo(steps.ends[k]);
    if (cursor.lo == cursor.hi) continue;
    const Window window{.times = times.data() + cursor.lo,
                        .values = samples.data() + cursor.lo,
                        .size = cursor.hi - cursor.lo,
                        .end = steps.ends[k],
                        .step = steps.steps[k],
                        .parameter = function.parameters.empty() ? 0 : function.parameters[k],
                        .parameter2 = function.parameters2.empty() ? 0 : function.parameters2[k]};
    if (const std::optional<double> value = function.window(window)) {
      values[k] = *value;
      present[k] = 1;
    }
  }
}

// rate, increase and delta in passes over columns: where each window starts and ends, what the
// counter gained, and the extrapolation to the window's bounds, which has no branches.
class ExtrapolatedRate {
 public:
  ExtrapolatedRate(Kind kind, const WindowSteps& steps, WindowScratch& scratch)
      : kind_(kind), steps_(steps), scratch_(scratch) {
    for (std::vector<double>* column :
         {&scratch.to_start, &scratch.to_end, &scratch.span, &scratch.gaps, &scratch.first}) {
      column->resize(steps.size);
    }
  }

  void Evaluate(const std::vector<TimestampMs>& times, const std::vector<double>& samples,
                double* values, std::uint8_t* present) {
    const bool counter = kind_ != Kind::kDelta;
    scratch_.resets.clear();
    if (counter && AnyDecrease(samples)) {
      for (std::size_t i = 1; i < samples.size(); ++i) {
        if (samples[i] < samples[i - 1]) scratch_.resets.push_back(i);
      }
    }
    const bool all = FindWindows(times, samples, values, present);
    Extrapolate(steps_.size,
                {.to_start = scratch_.to_start.data(),
                 .to_end = scratch_.to_end.data(),
                 .span = scratch_.span.data(),
                 .gaps = scratch_.gaps.data(),
                 .first = scratch_.first.data()},
                counter ? Slope::kCounter : Slope::kGauge,
                kind_ == Kind::kRate ? Seconds(steps_.range_ms) : 1, values);
    if (all) return;
    for (std::size_t k = 0; k < steps_.size; ++k) {
      if (present[k] == 0) values[k] = 0;
    }
  }

 private:
  // True when every window has the two samples that it needs. All that the loop reads lies in local
  // variables: a store to `present`, of characters, could change anything else.
  bool FindWindows(const std::vector<TimestampMs>& sample_times,
                   const std::vector<double>& sample_values, double* increase,
                   std::uint8_t* present) {
    const TimestampMs* const times = sample_times.data();
    const double* const samples = sample_values.data();
    const TimestampMs* const ends = steps_.ends;
    double* const to_start = scratch_.to_start.data();
    double* const to_end = scratch_.to_end.data();
    double* const span = scratch_.span.data();
    double* const gaps = scratch_.gaps.data();
    double* const first = scratch_.first.data();
    const std::size_t size = sample_times.size();
    const std::size_t steps = steps_.size;
    const std::int64_t range_ms = steps_.range_ms;
    const std::size_t* reset = scratch_.resets.data();
    const std::size_t* const resets_end = reset + scratch_.resets.size();
    std::size_t lo = 0;
    std::size_t hi = 0;
    bool all = true;
    for (std::size_t k = 0; k < steps; ++k) {
      const TimestampMs end = ends[k];
      const TimestampMs start = end - range_ms;  // outside: ranges are left-open
      while (hi < size && times[hi] <= end) ++hi;
      while (lo < hi && times[lo] <= start) ++lo;
      if (hi - lo < 2) {
        to_start[k] = to_end[k] = 0;
        span[k] = gaps[k] = first[k] = 1;
        all = false;
        continue;
      }
      to_start[k] = static_cast<double>(times[lo] - start);
      to_end[k] = static_cast<double>(end - times[hi - 1]);
      span[k] = static_cast<double>(times[hi - 1] - times[lo]);
      gaps[k] = static_cast<double>(static_cast<std::int64_t>(hi - lo - 1));
      first[k] = samples[lo];
      double gained = samples[hi - 1] - samples[lo];
      // In order within each window: sums of other shapes round differently.
      while (reset != resets_end && *reset <= lo) ++reset;
      for (const std::size_t* r = reset; r != resets_end && *r < hi; ++r) gained += samples[*r - 1];
      increase[k] = gained;
      present[k] = 1;
    }
    return all;
  }

  const Kind kind_;
  const WindowSteps& steps_;
  WindowScratch& scratch_;
};

}  // namespace

std::optional<RangeFunction> FindRangeFunction(std::string_view name) {
  for (const Entry& entry : kFunctions) {
    if (entry.name == name) {
      RangeFunction function;
      function.name = entry.name;
      function.kind = entry.kind;
      function.window = entry.window;
      function.of_histograms = entry.of_histograms;
      function.keeps_name = entry.keeps_name;
      function.is_counter = entry.is_counter;
      return function;
    }
  }
  return std::nullopt;
}

void EvaluateWindows(const RangeFunction& function, const WindowSteps& steps,
                     const std::vector<TimestampMs>& times, const std::vector<double>& samples,
                     WindowScratch& scratch, double* values, std::uint8_t* present) {
  if (function.kind == Kind::kWindow) {
    EvaluateEachWindow(function, steps, times, samples, values, present);
  } else {
    ExtrapolatedRate(function.kind, steps, scratch).Evaluate(times, samples, values, present);
  }
}

double Quantile(double rank, std::vector<double>* values) {
  if (values->empty() || std::isnan(rank)) return kNan;
  if (rank < 0) return -std::numeric_limits<double>::infinity();
  if (rank > 1) return std::numeric_limits<double>::infinity();
  // NaN sorts before everything.
  std::sort(values->begin(), values->end(),
            [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const auto n = static_cast<double>(values->size());
  const double at = rank * (n - 1);
  const double lower = std::max(0.0, std::floor(at));
  const double upper = std::min(n - 1, lower + 1);
  const double weight = at - std::floor(at);
  return (*values)[static_cast<std::size_t>(lower)] * (1 - weight) +
         (*values)[static_cast<std::size_t>(upper)] * weight;
}

}  // namespace aevum::promql
