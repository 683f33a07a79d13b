#include "store/dedup/testing/measure.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace aevum::store::dedup::testing {
namespace {

using chunk::Columns;

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

void MeasureCoverage(const SimulatedCase& c, const Columns& columns, Measure* measure) {
  const std::vector<TimestampMs> live = SamplesIn(columns, kMinTime, kMaxTime).times;
  measure->samples = static_cast<int>(live.size());
  measure->slots = static_cast<double>(c.slots.size());
  std::size_t s = 0;
  for (std::size_t i = 1; i < live.size() && !c.slots.empty(); ++i) {
    while (s + 1 < c.slots.size() && c.slots[s].to <= live[i - 1]) ++s;
    const TimestampMs interval = c.slots[s].to - c.slots[s].from;
    measure->doubled += 2 * (live[i] - live[i - 1]) < interval ? 1 : 0;
  }
  std::size_t i = 0;
  for (const SimulatedCase::Slot& slot : c.slots) {
    const TimestampMs tolerance = (slot.to - slot.from) / 4;
    while (i < live.size() && live[i] < slot.from - tolerance) ++i;
    if (i < live.size() && live[i] < slot.to + tolerance) ++measure->covered;
  }
}

}  // namespace

Columns SamplesIn(const Columns& columns, TimestampMs from, TimestampMs end) {
  Columns window;
  const auto begin = std::upper_bound(columns.times.begin(), columns.times.end(), from);
  for (auto time = begin; time != columns.times.end() && *time <= end; ++time) {
    const double value = columns.values[static_cast<std::size_t>(time - columns.times.begin())];
    if (chunk::IsStale(value)) continue;
    window.times.push_back(*time);
    window.values.push_back(value);
  }
  return window;
}

bool IsOneReplica(const SimulatedCase& c, const Columns& columns,
                  const SimulatedCase::Window& window) {
  const Columns ours = SamplesIn(columns, window.from, window.end);
  return std::any_of(c.replicas.begin(), c.replicas.end(), [&](const Columns& replica) {
    const Columns alone = SamplesIn(replica, window.from, window.end);
    return alone.times == ours.times && alone.values == ours.values;
  });
}

std::optional<double> Increase(const Columns& columns, TimestampMs end, TimestampMs range) {
  const Columns window = SamplesIn(columns, end - range, end);
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
  const Columns window = SamplesIn(columns, end - range, end);
  if (window.times.empty()) return std::nullopt;
  return std::accumulate(window.values.begin(), window.values.end(), 0.0) /
         static_cast<double>(window.values.size());
}

std::optional<double> MaxOverTime(const Columns& columns, TimestampMs end, TimestampMs range) {
  const Columns window = SamplesIn(columns, end - range, end);
  if (window.times.empty()) return std::nullopt;
  return *std::max_element(window.values.begin(), window.values.end());
}

std::optional<double> MinOverTime(const Columns& columns, TimestampMs end, TimestampMs range) {
  const Columns window = SamplesIn(columns, end - range, end);
  if (window.times.empty()) return std::nullopt;
  return *std::min_element(window.values.begin(), window.values.end());
}

double Measure::MeanError() const {
  if (errors.empty()) return 0;
  return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
}

Measure MeasureSamples(const SimulatedCase& c, const Columns& columns) {
  Measure measure;
  const bool counter = c.process.kind() == ProcessKind::kCounter;
  for (const SimulatedCase::Window& window : c.windows) {
    const TimestampMs range = window.end - window.from;
    ++measure.windows;
    std::optional<double>& error = measure.each.emplace_back();
    const auto count =
        static_cast<double>(SamplesIn(columns, window.from, window.end).times.size());
    measure.count_error += std::abs(count - window.due) / window.due;
    const std::optional<double> answer = counter ? Increase(columns, window.end, range)
                                                 : AverageOverTime(columns, window.end, range);
    if (!answer) {
      ++measure.missing;
      continue;
    }
    if (c.scale <= 0) continue;
    error = std::abs(*answer - window.value) / c.scale;
    measure.errors.push_back(*error);
    if (counter) continue;
    const double most = MaxOverTime(columns, window.end, range).value_or(0);
    measure.max_errors.push_back(std::abs(most - window.maximum) / c.scale);
  }
  if (counter) measure.false_resets = FalseResets(c, columns);
  MeasureCoverage(c, columns, &measure);
  return measure;
}

}  // namespace aevum::store::dedup::testing
