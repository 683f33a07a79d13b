// How many samples the steps of a query look at, counted as Prometheus does.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "chunk/chunk.h"
#include "model/histogram.h"
#include "promql/engine/extension.h"
#include "promql/engine/range_function.h"
#include "promql/engine/row_batch.h"

namespace aevum::promql {

// The samples of a native histogram: what it takes in Prometheus, in samples of 16 bytes.
std::int64_t SamplesOf(const model::FloatHistogram& histogram);

// An instant selector looks at one sample of each series, a function over ranges at all of its
// window; what lies below a subquery does not count. Thread-safe, but for OfEveryStep.
class StepCounts {
 public:
  enum class Keep : std::uint8_t { kTotal, kSteps };
  // Of a whole query; kSteps: 8 bytes a step.
  StepCounts(std::size_t steps, Keep keep)
      : size_(steps), steps_(keep == Keep::kSteps ? steps : 0) {}
  // Of one operator: a total alone. What it counts is counted in `whole` too, which may be null and
  // must outlive it.
  explicit StepCounts(StepCounts* whole) : whole_(whole) {}

  // Counts for operators with a single step that stands for each: what they count is added to every
  // step. Owned by this object.
  StepCounts* OfEveryStep();

  void Add(std::size_t step, std::int64_t samples);
  // What the rows of an instant selector hold.
  void AddRows(const RowBatch& rows);
  // The windows of one series, whose columns have no staleness markers.
  void AddWindows(const WindowSteps& steps, const Extension& extension,
                  const chunk::Columns& columns);

  std::int64_t total() const;
  // Of each step; empty where there is only a total.
  std::vector<std::int64_t> PerStep() const;

 private:
  const std::size_t size_ = 0;
  std::vector<std::atomic<std::int64_t>> steps_;
  std::atomic<std::int64_t> total_{0};
  StepCounts* const whole_ = nullptr;
  std::unique_ptr<StepCounts> of_every_step_;
};

}  // namespace aevum::promql
