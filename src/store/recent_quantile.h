// A quantile of the last durations: what is slower than usual.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace aevum::store {

// Keeps the last 128 durations; Add is O(1), Value O(128). Thread-compatible.
class RecentQuantile {
 public:
  // From 0 to 1.
  explicit RecentQuantile(double quantile) : quantile_(std::clamp(quantile, 0.0, 1.0)) {}

  void Add(std::chrono::nanoseconds duration) {
    last_[next_ % last_.size()] = duration;
    ++next_;
  }

  // The least of them that is not below this part of them; nullopt while there are fewer than 8.
  std::optional<std::chrono::nanoseconds> Value() const {
    const std::size_t count = std::min(next_, last_.size());
    if (count < kLeast) return std::nullopt;
    auto sorted = last_;
    const auto rank =
        static_cast<std::ptrdiff_t>(quantile_ * static_cast<double>(count - 1) + 0.999999);
    std::nth_element(sorted.begin(), sorted.begin() + rank,
                     sorted.begin() + static_cast<std::ptrdiff_t>(count));
    return sorted[static_cast<std::size_t>(rank)];
  }

 private:
  static constexpr std::size_t kLeast = 8;

  const double quantile_;
  std::array<std::chrono::nanoseconds, 128> last_{};
  std::size_t next_ = 0;
};

}  // namespace aevum::store
