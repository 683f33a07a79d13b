#include "store/dedup/testing/measure.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace aevum::store::dedup::testing {
namespace {

using chunk::Columns;

constexpr TimestampMs kWindowIntervals = 8;

struct Window {
  std::vector<TimestampMs> times;
  std::vector<double> values;
};

// Left-open; without staleness markers, as range selectors see it.
Window SamplesIn(const Columns& columns, TimestampMs from, TimestampMs to) {
  Window window;
  const auto begin = std::upper_bound(columns.times.begin(), columns.times.end(), from);
  for (auto time = begin; time != columns.times.end() && *time <= to; ++time) {
    const double value = columns.values[static_cast<std::size_t>(time - columns.times.begin())];
    if (chunk::IsStale(value)) continue;
    window.times.push_back(*time);
    window.values.push_back(value);
  }
  return window;
}

double Scale(const SimulatedCase& c) {
  const TimestampMs range = kWindowIntervals * c.interval;
  const double windows = static_cast<double>(c.end - c.start) / static_cast<double>(range);
  if (c.process.kind() == Process::Kind::kCounter) {
    return c.process.Increase(c.start, c.end) / windows;
  }
  double sum = 0;
  double squares = 0;
  double n = 0;
  for (TimestampMs time = c.start; time < c.end; time += c.interval, n += 1) {
    const double value = c.process.Read(time);
    sum += value;
    squares += value * value;
  }
  return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
}

// Falls that no restart of the process explains, wherever within the slack its times may be.
int FalseResets(const SimulatedCase& c, const Columns& columns) {
  int falls = 0;
  double last = 0;
  TimestampMs last_time = kMinTime;
  for (std::size_t i = 0; i < columns.times.size(); ++i) {
    const double value = columns.values[i];
    if (std::isnan(value)) continue;
    if (last_time != kMinTime && value < last &&
        !c.process.RestartsIn(last_time - c.slack, columns.times[i] + c.slack)) {
      ++falls;
    }
    last = value;
    last_time = columns.times[i];
  }
  return falls;
}

bool IsOneReplica(const SimulatedCase& c, const Columns& columns, TimestampMs from,
                  TimestampMs to) {
  const Window window = SamplesIn(columns, from, to);
  return std::any_of(c.replicas.begin(), c.replicas.end(), [&](const Columns& replica) {
    const Window alone = SamplesIn(replica, from, to);
    return alone.times == window.times && alone.values == window.values;
  });
}

void MeasureCoverage(const SimulatedCase& c, const Columns& columns, Measure* measure) {
  std::vector<TimestampMs> live;
  for (std::size_t i = 0; i < columns.times.size(); ++i) {
    if (!chunk::IsStale(columns.values[i])) live.push_back(columns.times[i]);
  }
  measure->samples = static_cast<int>(live.size());
  for (std::size_t i = 1; i < live.size(); ++i) {
    measure->doubled += 2 * (live[i] - live[i - 1]) < c.interval ? 1 : 0;
  }
  std::size_t i = 0;
  for (TimestampMs slot = c.start; slot + c.interval <= c.end; slot += c.interval) {
    if (!c.process.Up(slot) || !c.process.Up(slot + c.interval)) continue;
    measure->slots += 1;
    while (i < live.size() && live[i] < slot) ++i;
    if (i < live.size() && live[i] < slot + c.interval) ++measure->covered;
  }
}

}  // namespace

std::optional<double> Increase(const Columns& columns, TimestampMs end, TimestampMs range) {
  const Window window = SamplesIn(columns, end - range, end);
  if (window.times.size() < 2) return std::nullopt;
  double increase = window.values.back() - window.values.front();
  for (std::size_t i = 1; i < window.values.size(); ++i) {
    if (window.values[i] < window.values[i - 1]) increase += window.values[i - 1];
  }
  const double sampled = static_cast<double>(window.times.back() - window.times.front());
  const double step = sampled / static_cast<double>(window.times.size() - 1);
  double to_start = static_cast<double>(window.times.front() - (end - range));
  double to_end = static_cast<double>(end - window.times.back());
  if (to_start >= step * 1.1) to_start = step / 2;
  if (increase > 0 && window.values.front() >= 0) {
    to_start = std::min(to_start, sampled * (window.values.front() / increase));
  }
  if (to_end >= step * 1.1) to_end = step / 2;
  return increase * ((sampled + to_start + to_end) / sampled);
}

std::optional<double> AverageOverTime(const Columns& columns, TimestampMs end, TimestampMs range) {
  const Window window = SamplesIn(columns, end - range, end);
  if (window.times.empty()) return std::nullopt;
  return std::accumulate(window.values.begin(), window.values.end(), 0.0) /
         static_cast<double>(window.values.size());
}

double Measure::MeanError() const {
  if (errors.empty()) return 0;
  return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
}

Measure MeasureSamples(const SimulatedCase& c, const Columns& columns) {
  Measure measure;
  const bool counter = c.process.kind() == Process::Kind::kCounter;
  const TimestampMs range = kWindowIntervals * c.interval;
  const double scale = Scale(c);
  for (TimestampMs end = c.start + range; end <= c.end; end += range / 2) {
    const double due =
        static_cast<double>(c.process.Uptime(end - range, end)) / static_cast<double>(c.interval);
    if (due < 4) continue;
    ++measure.windows;
    Measure::Window& window = measure.each.emplace_back();
    window.one_replica = IsOneReplica(c, columns, end - range, end);
    const auto count = static_cast<double>(SamplesIn(columns, end - range, end).times.size());
    measure.count_error += std::abs(count - due) / due;
    const std::optional<double> answer =
        counter ? Increase(columns, end, range) : AverageOverTime(columns, end, range);
    if (!answer) {
      ++measure.missing;
      continue;
    }
    const double truth =
        counter ? c.process.Increase(end - range, end) : c.process.Average(end - range, end);
    if (scale <= 0) continue;
    window.error = std::abs(*answer - truth) / scale;
    measure.errors.push_back(*window.error);
  }
  if (counter) measure.false_resets = FalseResets(c, columns);
  MeasureCoverage(c, columns, &measure);
  return measure;
}

}  // namespace aevum::store::dedup::testing
