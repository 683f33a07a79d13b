#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "slow_parts.h"

namespace aevum::promql::differential {
namespace {

using Result = std::optional<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double First(const Window& w) { return w.points.front().value; }
double Last(const Window& w) { return w.points.back().value; }

std::vector<double> Values(const Window& w) {
  std::vector<double> values;
  for (const Point& point : w.points) values.push_back(point.value);
  return values;
}

// ---- rate, increase, delta ----

Result Extrapolated(const Window& w, bool is_counter, bool is_rate) {
  if (w.points.size() < 2) return std::nullopt;
  double result = Last(w) - First(w);
  if (is_counter) {
    for (std::size_t i = 1; i < w.points.size(); ++i) {
      if (w.points[i].value < w.points[i - 1].value) result += w.points[i - 1].value;
    }
  }
  double to_start = static_cast<double>(w.points.front().time - w.start) / 1000;
  double to_end = static_cast<double>(w.end - w.points.back().time) / 1000;
  const double sampled = static_cast<double>(w.points.back().time - w.points.front().time) / 1000;
  const double average = sampled / static_cast<double>(w.points.size() - 1);
  const double threshold = average * 1.1;
  if (to_start >= threshold) to_start = average / 2;
  if (is_counter) {
    double to_zero = to_start;
    if (result > 0 && First(w) >= 0) to_zero = sampled * (First(w) / result);
    if (to_zero < to_start) to_start = to_zero;
  }
  if (to_end >= threshold) to_end = average / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (is_rate) factor /= Seconds(w.end - w.start);
  return result * factor;
}

Result InstantChange(const Window& w, bool is_rate) {
  if (w.points.size() < 2) return std::nullopt;
  const Point& a = w.points[w.points.size() - 2];
  const Point& b = w.points.back();
  double change = b.value;
  if (!is_rate || !(b.value < a.value)) change = b.value - a.value;
  if (is_rate) change /= static_cast<double>(b.time - a.time) / 1000;
  return change;
}

// ---- lines ----

struct Line {
  double slope = 0;
  double at_origin = 0;
};

Line FitLine(const Window& w, TimestampMs origin) {
  CompensatedSum x;
  CompensatedSum y;
  CompensatedSum xy;
  CompensatedSum xx;
  double n = 0;
  bool constant = true;
  for (const Point& point : w.points) {
    if (n > 0 && point.value != First(w)) constant = false;
    n += 1;
    const double at = static_cast<double>(point.time - origin) / 1e3;
    x.Add(at);
    y.Add(point.value);
    xy.Add(at * point.value);
    xx.Add(at * at);
  }
  if (constant) {
    if (std::isinf(First(w))) return {kNan, kNan};
    return {0, First(w)};
  }
  const double covariance = xy.Total() - x.Total() * y.Total() / n;
  const double variance = xx.Total() - x.Total() * x.Total() / n;
  const double slope = covariance / variance;
  return {slope, y.Total() / n - slope * x.Total() / n};
}

Result Deriv(const Window& w) {
  if (w.points.size() < 2) return std::nullopt;
  return FitLine(w, w.points.front().time).slope;
}

Result PredictLinear(const Window& w) {
  if (w.points.size() < 2) return std::nullopt;
  const Line line = FitLine(w, w.step);
  return line.slope * w.parameters[0] + line.at_origin;
}

StatusOr<Result> Smooth(const Window& w) {
  const double sf = w.parameters[0];
  const double tf = w.parameters[1];
  if (sf <= 0 || sf >= 1) return MakeError(StatusCode::kFailedPrecondition, "smoothing factor");
  if (tf <= 0 || tf >= 1) return MakeError(StatusCode::kFailedPrecondition, "trend factor");
  if (w.points.size() < 2) return Result();
  double before = 0;
  double smoothed = First(w);
  double trend = w.points[1].value - First(w);
  for (std::size_t i = 1; i < w.points.size(); ++i) {
    const double x = sf * w.points[i].value;
    if (i > 1) {
      const double up = tf * (smoothed - before);
      const double keep = (1 - tf) * trend;
      trend = up + keep;
    }
    const double y = (1 - sf) * (smoothed + trend);
    before = smoothed;
    smoothed = x + y;
  }
  return Result(smoothed);
}

// ---- *_over_time ----

double Sum(const Window& w) {
  CompensatedSum sum;
  for (const Point& point : w.points) sum.Add(point.value);
  return std::isinf(sum.sum) ? sum.sum : sum.Total();
}

double Variance(const Window& w) {
  double count = 0;
  CompensatedSum mean;
  CompensatedSum squares;
  for (const Point& point : w.points) {
    count += 1;
    const double delta = point.value - mean.Total();
    mean.Add(delta / count);
    squares.Add(delta * (point.value - mean.Total()));
  }
  return squares.Total() / count;
}

double MedianDeviation(const Window& w) {
  for (const Point& point : w.points)
    if (std::isnan(point.value)) return kNan;
  const double median = QuantileOf(0.5, Values(w));
  std::vector<double> deviations;
  for (const Point& point : w.points) deviations.push_back(std::fabs(point.value - median));
  return QuantileOf(0.5, deviations);
}

// The point that stands when each that is better than the best so far takes its place.
Point Best(const Window& w, const std::function<bool(double, double)>& better) {
  Point best = w.points.front();
  for (const Point& point : w.points) {
    if (better(point.value, best.value) || std::isnan(best.value)) best = point;
  }
  return best;
}

double Changes(const Window& w) {
  double changes = 0;
  for (std::size_t i = 1; i < w.points.size(); ++i) {
    const double a = w.points[i - 1].value;
    const double b = w.points[i].value;
    if (a != b && !(std::isnan(a) && std::isnan(b))) changes += 1;
  }
  return changes;
}

double Resets(const Window& w) {
  double resets = 0;
  for (std::size_t i = 1; i < w.points.size(); ++i)
    if (w.points[i].value < w.points[i - 1].value) resets += 1;
  return resets;
}

double TimeOf(const Point& point) { return static_cast<double>(point.time) / 1000; }

using Functions = std::map<std::string, WindowFunction, std::less<>>;

Functions MakeFunctions() {
  const auto plain = [](auto function) {
    return [function](const Window& w) -> StatusOr<Result> { return Result(function(w)); };
  };
  Functions f;
  f["rate"] = plain([](const Window& w) { return Extrapolated(w, true, true); });
  f["increase"] = plain([](const Window& w) { return Extrapolated(w, true, false); });
  f["delta"] = plain([](const Window& w) { return Extrapolated(w, false, false); });
  f["irate"] = plain([](const Window& w) { return InstantChange(w, true); });
  f["idelta"] = plain([](const Window& w) { return InstantChange(w, false); });
  f["deriv"] = plain(Deriv);
  f["predict_linear"] = plain(PredictLinear);
  f["double_exponential_smoothing"] = Smooth;
  f["sum_over_time"] = plain(Sum);
  f["avg_over_time"] = plain([](const Window& w) { return MeanOf(Values(w)); });
  f["count_over_time"] =
      plain([](const Window& w) { return static_cast<double>(w.points.size()); });
  f["min_over_time"] = plain([](const Window& w) { return Best(w, std::less<>()).value; });
  f["max_over_time"] = plain([](const Window& w) { return Best(w, std::greater<>()).value; });
  f["ts_of_min_over_time"] =
      plain([](const Window& w) { return TimeOf(Best(w, std::less_equal<>())); });
  f["ts_of_max_over_time"] =
      plain([](const Window& w) { return TimeOf(Best(w, std::greater_equal<>())); });
  f["ts_of_first_over_time"] = plain([](const Window& w) { return TimeOf(w.points.front()); });
  f["ts_of_last_over_time"] = plain([](const Window& w) { return TimeOf(w.points.back()); });
  f["first_over_time"] = plain(First);
  f["last_over_time"] = plain(Last);
  f["present_over_time"] = plain([](const Window& /*w*/) { return 1.0; });
  f["absent_over_time"] = f["present_over_time"];
  f["stdvar_over_time"] = plain(Variance);
  f["stddev_over_time"] = plain([](const Window& w) { return std::sqrt(Variance(w)); });
  f["mad_over_time"] = plain(MedianDeviation);
  f["quantile_over_time"] =
      plain([](const Window& w) { return QuantileOf(w.parameters[0], Values(w)); });
  f["changes"] = plain(Changes);
  f["resets"] = plain(Resets);
  return f;
}

}  // namespace

WindowFunction FindWindowFunction(std::string_view name) {
  static const Functions kFunctions = MakeFunctions();
  const auto it = kFunctions.find(name);
  return it == kFunctions.end() ? nullptr : it->second;
}

double Seconds(std::int64_t milliseconds) {
  const std::int64_t nanoseconds = milliseconds % 1000 * 1'000'000;
  return static_cast<double>(milliseconds / 1000) + static_cast<double>(nanoseconds) / 1e9;
}

void CompensatedSum::Add(double value) {
  const double total = sum + value;
  if (std::isinf(total)) {
    lost = 0;
  } else if (std::fabs(sum) >= std::fabs(value)) {
    lost += (sum - total) + value;
  } else {
    lost += (value - total) + sum;
  }
  sum = total;
}

double MeanOf(const std::vector<double>& values) {
  CompensatedSum sum{.sum = values[0]};
  std::size_t i = 1;
  for (; i < values.size(); ++i) {
    CompensatedSum next = sum;
    next.Add(values[i]);
    if (std::isinf(next.sum)) break;
    sum = next;
  }
  if (i == values.size()) {
    const auto count = static_cast<double>(values.size());
    return sum.sum / count + sum.lost / count;
  }
  // The sum is too large: the mean so far goes on value by value.
  CompensatedSum mean{.sum = sum.sum / static_cast<double>(i),
                      .lost = sum.lost / static_cast<double>(i)};
  for (; i < values.size(); ++i) {
    const auto count = static_cast<double>(i + 1);
    const double keep = (count - 1) / count;
    mean.sum *= keep;
    mean.lost *= keep;
    mean.Add(values[i] / count);
  }
  return mean.sum + mean.lost;
}

double QuantileOf(double rank, std::vector<double> values) {
  if (values.empty() || std::isnan(rank)) return kNan;
  if (rank < 0) return -kInfinity;
  if (rank > 1) return kInfinity;
  // NaN first, then the numbers.
  const auto numbers =
      std::partition(values.begin(), values.end(), [](double value) { return std::isnan(value); });
  std::sort(numbers, values.end());
  const auto count = static_cast<double>(values.size());
  const double place = rank * (count - 1);
  const double below = std::floor(place);
  const double above = std::fmin(count - 1, below + 1);
  const double weight = place - below;
  return values[static_cast<std::size_t>(below)] * (1 - weight) +
         values[static_cast<std::size_t>(above)] * weight;
}

}  // namespace aevum::promql::differential
