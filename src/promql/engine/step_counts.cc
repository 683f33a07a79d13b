#include "promql/engine/step_counts.h"

namespace aevum::promql {

std::int64_t SamplesOf(const model::FloatHistogram& histogram) {
  // The sizes are those of Prometheus's structures, whatever ours are.
  constexpr std::size_t kHistogramBytes = 168;
  constexpr std::size_t kTimeBytes = 8;
  constexpr std::size_t kSampleBytes = 16;
  const std::size_t words = histogram.positive_spans.size() + histogram.negative_spans.size() +
                            histogram.positive_buckets.size() + histogram.negative_buckets.size() +
                            histogram.custom_values.size();
  return static_cast<std::int64_t>((kHistogramBytes + 8 * words + kTimeBytes) / kSampleBytes);
}

void StepCounts::Add(std::size_t step, std::int64_t samples) {
  total_.fetch_add(samples, std::memory_order_relaxed);
  if (step < steps_.size()) steps_[step].fetch_add(samples, std::memory_order_relaxed);
  if (whole_ != nullptr) whole_->Add(step, samples);
}

void StepCounts::AddRows(const RowBatch& rows) {
  for (std::size_t k = 0; k < rows.steps(); ++k) {
    std::int64_t samples = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows.present(i)[k] != 0) {
        ++samples;
      } else if (rows.Holds(i, k)) {
        samples += SamplesOf(*rows.histograms(i)[k]);
      }
    }
    if (samples > 0) Add(k, samples);
  }
}

void StepCounts::AddWindows(const WindowSteps& steps, const Extension& extension,
                            const chunk::Columns& columns) {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t histogram_begin = 0;
  std::size_t histogram_end = 0;
  std::int64_t of_histograms = 0;
  for (std::size_t k = 0; k < steps.size; ++k) {
    const TimestampMs last = Moved(steps.ends[k], extension.ahead_ms());
    const TimestampMs before = Moved(Moved(steps.ends[k], -steps.range_ms), -extension.back_ms());
    while (end < columns.times.size() && columns.times[end] <= last) ++end;
    while (begin < end && columns.times[begin] <= before) ++begin;
    while (histogram_end < columns.histogram_times.size() &&
           columns.histogram_times[histogram_end] <= last)
      of_histograms += SamplesOf(columns.histograms[histogram_end++]);
    while (histogram_begin < histogram_end && columns.histogram_times[histogram_begin] <= before)
      of_histograms -= SamplesOf(columns.histograms[histogram_begin++]);
    const std::int64_t samples = static_cast<std::int64_t>(end - begin) + of_histograms;
    if (samples > 0) Add(k, samples);
  }
}

StepCounts* StepCounts::OfEveryStep() {
  if (of_every_step_ == nullptr) of_every_step_ = std::make_unique<StepCounts>(nullptr);
  return of_every_step_.get();
}

std::int64_t StepCounts::total() const {
  const std::int64_t own = total_.load(std::memory_order_relaxed);
  if (of_every_step_ == nullptr) return own;
  return own + static_cast<std::int64_t>(size_) * of_every_step_->total();
}

std::vector<std::int64_t> StepCounts::PerStep() const {
  const std::int64_t each = of_every_step_ == nullptr ? 0 : of_every_step_->total();
  std::vector<std::int64_t> samples(steps_.size());
  for (std::size_t k = 0; k < steps_.size(); ++k)
    samples[k] = steps_[k].load(std::memory_order_relaxed) + each;
  return samples;
}

}  // namespace aevum::promql
