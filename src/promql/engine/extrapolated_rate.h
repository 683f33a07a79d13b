// rate, increase and delta of numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "promql/engine/deadline_check.h"
#include "promql/engine/row_kernels.h"
#include "promql/engine/window_bounds.h"

namespace aevum::promql {

// Works in passes over columns: what the times of the windows say, which is kept while series have
// the same times; what each window gained; and the extrapolation, which has no branches.
// Thread-compatible.
class ExtrapolatedRate {
 public:
  // How a function looks at its samples.
  struct Form {
    Slope slope = Slope::kCounter;
    bool per_second = false;  // divides by the range
  };

  // Evaluates all steps; `samples` are those that `bounds` were found for. `same_bounds`: they are
  // those of the call before, and so is the form.
  // Fails only when the request is cancelled or out of time.
  Status Evaluate(Form form, const WindowSteps& steps, const WindowBounds& bounds, bool same_bounds,
                  const std::vector<TimestampMs>& times, const std::vector<double>& samples,
                  DeadlineCheck& deadline, double* values, std::uint8_t* present);

  // Bytes of heap that the columns hold.
  std::int64_t memory_bytes() const;

 private:
  void Prepare(const WindowSteps& steps, const WindowBounds& bounds,
               const std::vector<TimestampMs>& times, double divisor);
  Status AddResets(const WindowBounds& bounds, const std::vector<double>& samples,
                   DeadlineCheck& deadline, double* gained);
  Extrapolation prepared() {
    return {
        .span = span_.data(), .start = start_.data(), .end = end_.data(), .factor = factor_.data()};
  }

  bool all_ = false;  // every window has the two samples that it needs
  std::vector<std::uint8_t> present_;
  std::vector<std::int64_t> first_at_, last_at_;  // 0 for a window without two samples
  std::vector<double> span_, start_, end_, factor_;
  std::vector<double> first_;
  std::vector<std::int64_t> reset_at_;  // where a sample is smaller than the one before it
  std::vector<double> lost_;            // the one before it
  std::vector<std::int64_t> reset_lo_, reset_hi_;
};

}  // namespace aevum::promql
