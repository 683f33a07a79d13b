// The deadline, looked at once in a while.
#pragma once

#include <cstddef>

#include "base/context.h"
#include "base/status.h"

namespace aevum::promql {

// Looks at deadline and cancellation once in a while, for loops whose steps are too short to read a
// clock at each. Thread-compatible. Borrows the context.
class DeadlineCheck {
 public:
  explicit DeadlineCheck(const Context& context) : context_(context) {}
  // After some work, counted in values looked at: the context's status when there was enough.
  Status After(std::size_t values) {
    done_ += values + 1;
    if (done_ < kValues) return OkStatus();
    done_ = 0;
    return context_.status();
  }

  static constexpr std::size_t kValues = 256 << 10;  // about a millisecond of sums

 private:
  const Context& context_;
  std::size_t done_ = 0;
};

}  // namespace aevum::promql
