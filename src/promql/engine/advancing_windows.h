// Functions over windows that advance: what one step knows is used for the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "promql/engine/window_bounds.h"

namespace aevum::promql {

// The smallest or largest sample of each window, NaN only where there is nothing else; of equal
// ones the first. Constant time a sample, amortised. Results of empty windows are left alone.
class WindowExtremes {
 public:
  void Smallest(const WindowBounds& bounds, const std::vector<double>& samples, double* results);
  void Largest(const WindowBounds& bounds, const std::vector<double>& samples, double* results);

  // Bytes of heap that it holds.
  std::int64_t memory_bytes() const {
    return static_cast<std::int64_t>(candidates_.capacity() * sizeof(candidates_[0]));
  }

 private:
  template <typename Better>
  void Find(const WindowBounds& bounds, const std::vector<double>& samples, Better better,
            double* results);

  std::vector<std::int64_t> candidates_;  // each better than all that follow
};

// How many samples of each window meet a condition with the sample before them in the window.
class WindowCounts {
 public:
  // The ones that differ from it; NaN equals NaN.
  void Changes(const WindowBounds& bounds, const std::vector<double>& samples, double* results);
  // The ones that are smaller.
  void Decreases(const WindowBounds& bounds, const std::vector<double>& samples, double* results);

  // Bytes of heap that it holds.
  std::int64_t memory_bytes() const {
    return static_cast<std::int64_t>(up_to_.capacity() * sizeof(up_to_[0]));
  }

 private:
  template <typename Counts>
  void Count(const WindowBounds& bounds, const std::vector<double>& samples, Counts counts,
             double* results);

  std::vector<std::uint32_t> up_to_;  // pairs up to each sample
};

}  // namespace aevum::promql
