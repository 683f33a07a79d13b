// A position in columns with two lanes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "store/dedup/penalty.h"

namespace aevum::store::dedup {

// Walks the samples of a row in the order of time, floats before histograms at the same time.
class Cursor {
 public:
  explicit Cursor(const Row& row) : columns_(row.columns), max_time_(row.max_time) {
    Place();
    End(time_ > max_time_);
  }

  bool ended() const { return ended_; }
  TimestampMs time() const { return time_; }
  bool is_float() const { return is_float_; }
  double value() const { return columns_->values[float_]; }
  std::size_t index() const { return is_float_ ? float_ : histogram_; }

  // To the first sample at or after a time; never back. A time beyond the bound ends the row, but a
  // sample beyond it does not.
  void Seek(TimestampMs time) {
    End(time > max_time_);
    if (ended_ || time_ >= time) return;
    Skip(columns_->times, time, &float_);
    Skip(columns_->histogram_times, time, &histogram_);
    Place();
  }

  // To the next sample. One beyond the bound ends the row.
  void Next() {
    ++(is_float_ ? float_ : histogram_);
    Place();
    End(time_ > max_time_);
  }

  // Appends the current sample, with its start timestamp for kStarts. True `forget` makes the reset
  // hint of a histogram unknown.
  template <bool kStarts>
  void CopyTo(chunk::Columns* out, bool forget) const {
    if (is_float_) {
      out->times.push_back(time_);
      out->values.push_back(value());
      if constexpr (kStarts) out->starts.push_back(columns_->starts[float_]);
      return;
    }
    out->histogram_times.push_back(time_);
    if constexpr (kStarts) out->histogram_starts.push_back(columns_->histogram_starts[histogram_]);
    out->histograms.push_back(columns_->histograms[histogram_]);
    model::ResetHint& hint = out->histograms.back().reset_hint;
    if (forget && hint != model::ResetHint::kGauge) hint = model::ResetHint::kUnknown;
  }

 private:
  // Mostly one or two steps, so a plain walk first.
  static void Skip(const std::vector<TimestampMs>& times, TimestampMs time, std::size_t* position) {
    std::size_t i = *position;
    const std::size_t near = std::min(times.size(), i + 8);
    while (i < near && times[i] < time) ++i;
    if (i == near && i < times.size()) {
      const auto begin = times.begin() + static_cast<std::ptrdiff_t>(i);
      i += static_cast<std::size_t>(std::lower_bound(begin, times.end(), time) - begin);
    }
    *position = i;
  }

  void End(bool now) { ended_ |= now; }

  void Place() {
    const bool has_float = float_ < columns_->times.size();
    const bool has_histogram = histogram_ < columns_->histogram_times.size();
    ended_ = !has_float && !has_histogram;
    if (ended_) return;
    is_float_ = has_float && (!has_histogram ||
                              columns_->times[float_] <= columns_->histogram_times[histogram_]);
    time_ = is_float_ ? columns_->times[float_] : columns_->histogram_times[histogram_];
  }

  const chunk::Columns* columns_;
  TimestampMs max_time_;
  TimestampMs time_ = kMinTime;
  std::size_t float_ = 0;
  std::size_t histogram_ = 0;
  bool is_float_ = false;
  bool ended_ = false;
};

}  // namespace aevum::store::dedup
