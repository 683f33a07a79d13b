// Compensated summation, as Prometheus sums since version 3 (Neumaier's variant).
#pragma once

#include <cmath>

namespace aevum::promql {

// A running sum and what rounding lost of it.
struct KahanSum {
  double sum = 0;
  double compensation = 0;

  void Add(double value) {
    const double total = sum + value;
    if (std::isinf(total)) {
      compensation = 0;
    } else if (std::abs(sum) >= std::abs(value)) {
      compensation += (sum - total) + value;
    } else {
      compensation += (value - total) + sum;
    }
    sum = total;
  }
  double Total() const { return std::isinf(sum) ? sum : sum + compensation; }
};

// The mean of values that are added one by one: of their sum, or incrementally once the sum would
// overflow.
class KahanMean {
 public:
  void Add(double value) {
    count_ += 1;
    if (count_ == 1) {
      sum_.sum = value;
      return;
    }
    if (!incremental_) {
      KahanSum next = sum_;
      next.Add(value);
      if (!std::isinf(next.sum)) {
        sum_ = next;
        return;
      }
      incremental_ = true;
      sum_.sum /= count_ - 1;
      sum_.compensation /= count_ - 1;
    }
    const double q = (count_ - 1) / count_;
    sum_ = {q * sum_.sum, q * sum_.compensation};
    sum_.Add(value / count_);
  }
  double Mean() const {
    if (incremental_) return sum_.sum + sum_.compensation;
    return sum_.sum / count_ + sum_.compensation / count_;
  }

 private:
  KahanSum sum_;  // of the values, or the mean once incremental
  double count_ = 0;
  bool incremental_ = false;
};

}  // namespace aevum::promql
