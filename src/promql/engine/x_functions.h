// xrate(), xincrease() and xdelta() of the Thanos engine: windows that include the last sample
// before them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/selector.h"
#include "promql/engine/window_bounds.h"

namespace aevum::promql {

enum class XFunction : std::uint8_t { kRate, kIncrease, kDelta };

// The function of that name, or nullopt.
std::optional<XFunction> FindXFunction(std::string_view name);

// How far before its window the sample that is included may be, exclusive; the default of the
// Thanos engine.
inline constexpr std::int64_t kXLookbackMs = 3'600'000;

// The samples of one window after another. Thread-compatible.
//
// Does what the reference does, also where it loses samples: the first sample after a window is
// read ahead with it, and is gone when it lies before the next window. So a step that is longer
// than the range changes which sample before a window is found.
class XWindow {
 public:
  struct Sample {
    TimestampMs time;
    double value;
  };

  // Begins with a series: columns with staleness markers, ascending in time, from `first` on, which
  // must outlive the last MoveTo.
  void Begin(std::span<const TimestampMs> times, std::span<const double> values);

  // Moves to the window (start, end], which must not lie before the last one.
  void MoveTo(TimestampMs start, TimestampMs end);

  // The samples of the window and, where there is one, the last before it.
  std::span<const Sample> samples() const { return std::span(samples_).subspan(begin_); }
  // When the series has its first sample, of those that were looked at.
  TimestampMs appeared() const { return appeared_; }
  // Bytes that the samples take.
  std::int64_t memory_bytes() const {
    return static_cast<std::int64_t>(samples_.capacity() * sizeof(Sample));
  }

 private:
  void Drop(TimestampMs start);
  void Push(Sample sample);

  std::span<const TimestampMs> times_;
  std::span<const double> values_;
  std::size_t next_ = 0;
  std::optional<Sample> ahead_;  // read, but after the window
  std::vector<Sample> samples_;
  std::size_t begin_ = 0;  // of the window's samples
  TimestampMs appeared_ = 0;
};

// The value of a window (end - range_ms, end] that has samples.
double XValue(XFunction function, const XWindow& window, TimestampMs end, std::int64_t range_ms);

// A function over a range selector; drops the name. FailedPrecondition where there are native
// histograms, as in the reference.
OperatorPtr MakeXSelector(QueryState& state, const MatrixSelector& matrix, const SelectTimes& times,
                          XFunction function, std::string_view name);

}  // namespace aevum::promql
