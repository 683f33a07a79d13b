#include "promql/engine/advancing_windows.h"

#include <cmath>
#include <functional>
#include <limits>

namespace aevum::promql {

template <typename Better>
void WindowExtremes::Find(const WindowBounds& bounds, const std::vector<double>& samples,
                          Better better, double* results) {
  candidates_.clear();
  std::size_t head = 0;
  std::int64_t next = 0;
  for (std::size_t k = 0; k < bounds.size(); ++k) {
    const std::int64_t lo = bounds.lo()[k];
    const std::int64_t hi = bounds.hi()[k];
    if (lo == hi) continue;
    for (next = std::max(next, lo); next < hi; ++next) {
      const double value = samples[static_cast<std::size_t>(next)];
      if (std::isnan(value)) continue;
      while (candidates_.size() > head &&
             better(value, samples[static_cast<std::size_t>(candidates_.back())]))
        candidates_.pop_back();
      candidates_.push_back(next);
    }
    while (head < candidates_.size() && candidates_[head] < lo) ++head;
    results[k] = head < candidates_.size() ? samples[static_cast<std::size_t>(candidates_[head])]
                                           : std::numeric_limits<double>::quiet_NaN();
  }
}

void WindowExtremes::Smallest(const WindowBounds& bounds, const std::vector<double>& samples,
                              double* results) {
  Find(bounds, samples, std::less<>(), results);
}

void WindowExtremes::Largest(const WindowBounds& bounds, const std::vector<double>& samples,
                             double* results) {
  Find(bounds, samples, std::greater<>(), results);
}

template <typename Counts>
void WindowCounts::Count(const WindowBounds& bounds, const std::vector<double>& samples,
                         Counts counts, double* results) {
  up_to_.resize(samples.size());
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    // Counts may wrap around: only their differences are looked at.
    if (i > 0) count += counts(samples[i - 1], samples[i]) ? 1 : 0;
    up_to_[i] = count;
  }
  for (std::size_t k = 0; k < bounds.size(); ++k) {
    const std::int64_t lo = bounds.lo()[k];
    const std::int64_t hi = bounds.hi()[k];
    if (lo == hi) continue;
    results[k] = static_cast<double>(up_to_[static_cast<std::size_t>(hi - 1)] -
                                     up_to_[static_cast<std::size_t>(lo)]);
  }
}

void WindowCounts::Changes(const WindowBounds& bounds, const std::vector<double>& samples,
                           double* results) {
  Count(
      bounds, samples,
      [](double before, double value) {
        return value != before && !(std::isnan(before) && std::isnan(value));
      },
      results);
}

void WindowCounts::Decreases(const WindowBounds& bounds, const std::vector<double>& samples,
                             double* results) {
  Count(bounds, samples, [](double before, double value) { return value < before; }, results);
}

}  // namespace aevum::promql
