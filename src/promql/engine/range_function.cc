#include "promql/engine/range_function.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "promql/engine/kahan.h"
#include "promql/engine/seconds.h"
#include "promql/engine/window_lanes.h"

namespace aevum::promql {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ---- functions over one window ----

// The index of the extreme that the reference finds, over NaN.
template <typename Better>
std::size_t Extreme(const Window& w, Better better) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < w.size; ++i) {
    if (better(w.values[i], w.values[best]) || std::isnan(w.values[best])) best = i;
  }
  return best;
}

std::optional<double> TimeOfMax(const Window& w) {
  return Seconds(w.times[Extreme(w, std::greater_equal<>())]);
}
std::optional<double> TimeOfMin(const Window& w) {
  return Seconds(w.times[Extreme(w, std::less_equal<>())]);
}
std::optional<double> TimeOfLast(const Window& w) { return Seconds(w.times[w.size - 1]); }
std::optional<double> TimeOfFirst(const Window& w) { return Seconds(w.times[0]); }

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

// ---- functions over all windows ----

LaneWindows LanesOf(const SeriesWindows& windows) {
  return {.samples = windows.samples.data(),
          .lo = windows.bounds.lo(),
          .hi = windows.bounds.hi(),
          .size = windows.bounds.size()};
}

Status SumOverTime(const SeriesWindows& windows) {
  return InPieces(LanesOf(windows), windows.deadline,
                  [&](const LaneWindows& piece, std::size_t first) {
                    SumWindows(piece, windows.values + first);
                  });
}

void PreciseMeans(const SeriesWindows& windows, std::size_t first, std::size_t end) {
  for (std::size_t k = first; k < end; ++k) {
    KahanMean mean;
    for (std::int64_t i = windows.bounds.lo()[k]; i < windows.bounds.hi()[k]; ++i)
      mean.Add(windows.samples[static_cast<std::size_t>(i)]);
    windows.values[k] = mean.Mean();
  }
}

Status AvgOverTime(const SeriesWindows& windows) {
  return InPieces(LanesOf(windows), windows.deadline,
                  [&](const LaneWindows& piece, std::size_t first) {
                    if (AverageWindows(piece, windows.values + first)) return;
                    PreciseMeans(windows, first, first + piece.size);
                  });
}

Status StdvarOverTime(const SeriesWindows& windows) {
  return InPieces(LanesOf(windows), windows.deadline,
                  [&](const LaneWindows& piece, std::size_t first) {
                    VarianceOfWindows(piece, windows.values + first);
                  });
}

Status StddevOverTime(const SeriesWindows& windows) {
  RETURN_IF_ERROR(StdvarOverTime(windows));
  for (std::size_t k = 0; k < windows.bounds.size(); ++k)
    windows.values[k] = std::sqrt(windows.values[k]);
  return OkStatus();
}

Status MaxOverTime(const SeriesWindows& windows) {
  windows.scratch.extremes.Largest(windows.bounds, windows.samples, windows.values);
  return OkStatus();
}

Status MinOverTime(const SeriesWindows& windows) {
  windows.scratch.extremes.Smallest(windows.bounds, windows.samples, windows.values);
  return OkStatus();
}

Status Changes(const SeriesWindows& windows) {
  windows.scratch.counts.Changes(windows.bounds, windows.samples, windows.values);
  return OkStatus();
}

Status Resets(const SeriesWindows& windows) {
  windows.scratch.counts.Decreases(windows.bounds, windows.samples, windows.values);
  return OkStatus();
}

Status CountOverTime(const SeriesWindows& windows) {
  for (std::size_t k = 0; k < windows.bounds.size(); ++k)
    windows.values[k] = static_cast<double>(windows.bounds.hi()[k] - windows.bounds.lo()[k]);
  return OkStatus();
}

Status PresentOverTime(const SeriesWindows& windows) {
  std::fill_n(windows.values, windows.bounds.size(), 1.0);
  return OkStatus();
}

Status LastOverTime(const SeriesWindows& windows) {
  for (std::size_t k = 0; k < windows.bounds.size(); ++k) {
    const std::int64_t hi = windows.bounds.hi()[k];
    if (hi > 0) windows.values[k] = windows.samples[static_cast<std::size_t>(hi - 1)];
  }
  return OkStatus();
}

Status FirstOverTime(const SeriesWindows& windows) {
  for (std::size_t k = 0; k < windows.bounds.size(); ++k) {
    if (windows.present[k] != 0)
      windows.values[k] = windows.samples[static_cast<std::size_t>(windows.bounds.lo()[k])];
  }
  return OkStatus();
}

Status DoubleExponentialSmoothing(const SeriesWindows& windows) {
  for (std::size_t k = 0; k < windows.bounds.size(); ++k)
    windows.present[k] = windows.bounds.hi()[k] - windows.bounds.lo()[k] < 2 ? 0 : 1;
  return InPieces(
      LanesOf(windows), windows.deadline, [&](const LaneWindows& piece, std::size_t first) {
        SmoothWindows(piece, windows.function.parameters.data() + first,
                      windows.function.parameters2.data() + first, windows.values + first);
      });
}

using Kind = RangeFunction::Kind;

using Of = RangeFunction::OfHistograms;

constexpr bool kKeepsName = true;

struct Entry {
  std::string_view name;
  Kind kind;
  WindowFunction window;
  RowOfWindows row;
  Of of_histograms = Of::kIgnored;
  bool keeps_name = false;
  bool is_counter = false;
};

constexpr std::array<Entry, 27> kFunctions = {{
    {"rate", Kind::kRate, nullptr, nullptr, Of::kRate, false, true},
    {"increase", Kind::kIncrease, nullptr, nullptr, Of::kRate, false, true},
    {"delta", Kind::kDelta, nullptr, nullptr, Of::kRate},
    {"irate", Kind::kWindow, Irate, nullptr, Of::kInstantRate},
    {"idelta", Kind::kWindow, Idelta, nullptr, Of::kInstantDelta},
    {"deriv", Kind::kWindow, Deriv, nullptr},
    {"predict_linear", Kind::kWindow, PredictLinear, nullptr},
    {"double_exponential_smoothing", Kind::kRow, nullptr, DoubleExponentialSmoothing},
    {"resets", Kind::kRow, nullptr, Resets, Of::kResets},
    {"changes", Kind::kRow, nullptr, Changes, Of::kChanges},
    {"sum_over_time", Kind::kRow, nullptr, SumOverTime, Of::kSum},
    {"avg_over_time", Kind::kRow, nullptr, AvgOverTime, Of::kMean},
    {"min_over_time", Kind::kRow, nullptr, MinOverTime},
    {"max_over_time", Kind::kRow, nullptr, MaxOverTime},
    {"count_over_time", Kind::kRow, nullptr, CountOverTime, Of::kCount},
    {"last_over_time", Kind::kRow, nullptr, LastOverTime, Of::kLast, kKeepsName},
    {"first_over_time", Kind::kRow, nullptr, FirstOverTime, Of::kFirst, kKeepsName},
    {"present_over_time", Kind::kRow, nullptr, PresentOverTime, Of::kPresent},
    {"absent_over_time", Kind::kRow, nullptr, PresentOverTime, Of::kPresent},
    {"stddev_over_time", Kind::kRow, nullptr, StddevOverTime},
    {"stdvar_over_time", Kind::kRow, nullptr, StdvarOverTime},
    {"quantile_over_time", Kind::kWindow, QuantileOverTime, nullptr},
    {"mad_over_time", Kind::kWindow, MadOverTime, nullptr},
    {"ts_of_min_over_time", Kind::kWindow, TimeOfMin, nullptr},
    {"ts_of_max_over_time", Kind::kWindow, TimeOfMax, nullptr},
    {"ts_of_last_over_time", Kind::kWindow, TimeOfLast, nullptr, Of::kTimeOfLast},
    {"ts_of_first_over_time", Kind::kWindow, TimeOfFirst, nullptr, Of::kTimeOfFirst},
}};

Status EvaluateEachWindow(const SeriesWindows& windows) {
  const RangeFunction& function = windows.function;
  for (std::size_t k = 0; k < windows.bounds.size(); ++k) {
    if (windows.present[k] == 0) continue;
    const std::int64_t lo = windows.bounds.lo()[k];
    RETURN_IF_ERROR(windows.deadline.After(static_cast<std::size_t>(windows.bounds.hi()[k] - lo)));
    const Window window{.times = windows.times.data() + lo,
                        .values = windows.samples.data() + lo,
                        .size = static_cast<std::size_t>(windows.bounds.hi()[k] - lo),
                        .end = windows.steps.ends[k],
                        .step = windows.steps.steps[k],
                        .parameter = function.parameters.empty() ? 0 : function.parameters[k],
                        .parameter2 = function.parameters2.empty() ? 0 : function.parameters2[k]};
    const std::optional<double> value = function.window(window);
    windows.values[k] = value.value_or(0);
    windows.present[k] = value ? 1 : 0;
  }
  return OkStatus();
}

}  // namespace

std::optional<RangeFunction> FindRangeFunction(std::string_view name) {
  for (const Entry& entry : kFunctions) {
    if (entry.name == name) {
      RangeFunction function;
      function.name = entry.name;
      function.kind = entry.kind;
      function.window = entry.window;
      function.row = entry.row;
      function.of_histograms = entry.of_histograms;
      function.keeps_name = entry.keeps_name;
      function.is_counter = entry.is_counter;
      return function;
    }
  }
  return std::nullopt;
}

Status EvaluateWindows(const RangeFunction& function, const WindowSteps& steps,
                       const std::vector<TimestampMs>& times, const std::vector<double>& samples,
                       WindowScratch& scratch, DeadlineCheck& deadline, double* values,
                       std::uint8_t* present) {
  if (samples.empty()) return OkStatus();
  const bool same_bounds = scratch.bounds.Find(steps, times);
  switch (function.kind) {
    case Kind::kRate:
    case Kind::kIncrease:
    case Kind::kDelta:
      return scratch.rate.Evaluate(
          {.slope = function.kind == Kind::kDelta ? Slope::kGauge : Slope::kCounter,
           .per_second = function.kind == Kind::kRate},
          steps, scratch.bounds, same_bounds, times, samples, deadline, values, present);
    case Kind::kWindow:
    case Kind::kRow:
      break;
  }
  const SeriesWindows windows{.function = function,
                              .steps = steps,
                              .bounds = scratch.bounds,
                              .times = times,
                              .samples = samples,
                              .scratch = scratch,
                              .deadline = deadline,
                              .values = values,
                              .present = present};
  for (std::size_t k = 0; k < steps.size; ++k)
    present[k] = scratch.bounds.lo()[k] < scratch.bounds.hi()[k] ? 1 : 0;
  if (function.kind == Kind::kWindow) return EvaluateEachWindow(windows);
  RETURN_IF_ERROR(function.row(windows));
  for (std::size_t k = 0; k < steps.size; ++k) {
    if (present[k] == 0) values[k] = 0;
  }
  return OkStatus();
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
