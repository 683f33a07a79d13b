// Plain samples in memory, as the slow evaluator sees them: nothing encoded, nothing shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "model/labels.h"

namespace aevum::promql::differential {

struct Point {
  TimestampMs time = 0;
  double value = 0;
};

// A series as it is stored, staleness markers included; points ascend in time.
struct StoredSeries {
  model::Labels labels;
  std::vector<Point> points;
};
// Ascending by labels.
using Data = std::vector<StoredSeries>;

// One element of the value of an expression at one step.
struct Sample {
  model::Labels labels;
  double value = 0;
  // The place of the series that it came from; results of a range keep the order of their sources.
  std::size_t rank = 0;
};
using Vector = std::vector<Sample>;

// A series of the value of an expression: one value a step, or none there.
struct Series {
  model::Labels labels;
  std::vector<std::optional<double>> values;
};
using Matrix = std::vector<Series>;

// The times at which an expression is evaluated: start, start + step, ..., `count` of them.
struct Steps {
  TimestampMs start = 0;
  std::int64_t step = 1;
  std::size_t count = 0;

  TimestampMs At(std::size_t k) const { return start + static_cast<std::int64_t>(k) * step; }
  TimestampMs last() const { return At(count - 1); }
};

}  // namespace aevum::promql::differential
