#include "promql/engine/extrapolated_rate.h"

#include <algorithm>
#include <chrono>

#include "base/duration.h"
#include "promql/engine/window_lanes.h"

namespace aevum::promql {

Status ExtrapolatedRate::Evaluate(Form form, const WindowSteps& steps, const WindowBounds& bounds,
                                  bool same_bounds, const std::vector<TimestampMs>& times,
                                  const std::vector<double>& samples, DeadlineCheck& deadline,
                                  double* values, std::uint8_t* present) {
  if (samples.empty()) return OkStatus();
  const double divisor = form.per_second ? GoSeconds(std::chrono::milliseconds(steps.range_ms)) : 1;
  if (!same_bounds) Prepare(steps, bounds, times, divisor);
  std::copy_n(present_.data(), steps.size, present);
  GainOfWindows(steps.size, samples.data(), first_at_.data(), last_at_.data(), first_.data(),
                values);
  if (form.slope == Slope::kCounter && AnyDecrease(samples))
    RETURN_IF_ERROR(AddResets(bounds, samples, deadline, values));
  Extrapolate(steps.size, prepared(), divisor, form.slope, first_.data(), values);
  if (all_) return OkStatus();
  for (std::size_t k = 0; k < steps.size; ++k) {
    if (present[k] == 0) values[k] = 0;
  }
  return OkStatus();
}

std::int64_t ExtrapolatedRate::memory_bytes() const {
  std::size_t bytes = present_.capacity();
  for (const auto* column : {&span_, &start_, &end_, &factor_, &first_, &lost_})
    bytes += column->capacity() * sizeof(double);
  for (const auto* column : {&first_at_, &last_at_, &reset_at_, &reset_lo_, &reset_hi_})
    bytes += column->capacity() * sizeof(std::int64_t);
  return static_cast<std::int64_t>(bytes);
}

void ExtrapolatedRate::Prepare(const WindowSteps& steps, const WindowBounds& bounds,
                               const std::vector<TimestampMs>& times, double divisor) {
  const std::size_t size = steps.size;
  for (std::vector<double>* column : {&span_, &start_, &end_, &factor_, &first_})
    column->resize(size);
  present_.assign(size, 1);
  first_at_.resize(size);
  last_at_.resize(size);
  all_ = true;
  // The columns first take milliseconds, which the kernel then replaces.
  double* const gaps = factor_.data();
  for (std::size_t k = 0; k < size; ++k) {
    const std::int64_t lo = bounds.lo()[k];
    const std::int64_t hi = bounds.hi()[k];
    if (hi - lo < 2) {
      first_at_[k] = last_at_[k] = 0;
      start_[k] = end_[k] = 0;
      span_[k] = gaps[k] = 1;
      present_[k] = 0;
      all_ = false;
      continue;
    }
    const TimestampMs first = times[static_cast<std::size_t>(lo)];
    const TimestampMs last = times[static_cast<std::size_t>(hi - 1)];
    first_at_[k] = lo;
    last_at_[k] = hi - 1;
    start_[k] = static_cast<double>(first - (steps.ends[k] - steps.range_ms));
    end_[k] = static_cast<double>(steps.ends[k] - last);
    span_[k] = static_cast<double>(last - first);
    gaps[k] = static_cast<double>(hi - lo - 1);
  }
  PrepareExtrapolation(
      size, {.to_start = start_.data(), .to_end = end_.data(), .span = span_.data(), .gaps = gaps},
      divisor, prepared());
}

// A counter that starts again has gained what it had before. In order within each window: sums of
// other shapes round differently.
Status ExtrapolatedRate::AddResets(const WindowBounds& bounds, const std::vector<double>& samples,
                                   DeadlineCheck& deadline, double* gained) {
  reset_at_.clear();
  lost_.clear();
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (!(samples[i] < samples[i - 1])) continue;
    reset_at_.push_back(static_cast<std::int64_t>(i));
    lost_.push_back(samples[i - 1]);
  }
  reset_lo_.resize(bounds.size());
  reset_hi_.resize(bounds.size());
  const auto resets = static_cast<std::int64_t>(reset_at_.size());
  const auto at = [&](std::int64_t i) { return reset_at_[static_cast<std::size_t>(i)]; };
  std::int64_t lo = 0;
  std::int64_t hi = 0;
  for (std::size_t k = 0; k < bounds.size(); ++k) {
    while (hi < resets && at(hi) < bounds.hi()[k]) ++hi;
    while (lo < hi && at(lo) <= bounds.lo()[k]) ++lo;
    reset_lo_[k] = lo;
    reset_hi_[k] = hi;
  }
  return InPieces({.samples = lost_.data(),
                   .lo = reset_lo_.data(),
                   .hi = reset_hi_.data(),
                   .size = bounds.size()},
                  deadline, [&](const LaneWindows& piece, std::size_t first) {
                    AddWindows(piece, gained + first);
                  });
}

}  // namespace aevum::promql
