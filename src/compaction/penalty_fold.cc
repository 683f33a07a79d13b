#include "compaction/penalty_fold.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "store/dedup/penalty.h"

namespace aevum::compaction {
namespace {

using chunk::Columns;
using store::dedup::Row;

// What the other row waits before any distance between samples is known.
constexpr TimestampMs kInitialPenalty = 5000;

// Up to where the rule moves the other row after a sample. Beyond what times can be: kMaxTime.
TimestampMs SeekAfter(TimestampMs time, TimestampMs penalty) {
  TimestampMs sum = 0;
  if (__builtin_add_overflow(time, penalty, &sum)) return kMaxTime;
  return __builtin_add_overflow(sum, TimestampMs{1}, &sum) ? kMaxTime : sum;
}

TimestampMs Twice(TimestampMs from, TimestampMs to) {
  TimestampMs distance = 0;
  if (__builtin_sub_overflow(to, from, &distance)) return kMaxTime;
  return __builtin_mul_overflow(distance, TimestampMs{2}, &distance) ? kMaxTime : distance;
}

// Moves the end of a lane, from a position on.
template <typename Values>
void CutLane(std::size_t first, std::vector<TimestampMs>* times, Values* values,
             std::vector<TimestampMs>* starts, std::vector<TimestampMs>* end_times,
             Values* end_values, std::vector<TimestampMs>* end_starts) {
  const auto at = static_cast<std::ptrdiff_t>(first);
  end_times->assign(times->begin() + at, times->end());
  *end_values = Values(values->begin() + at, values->end());
  times->resize(first);
  values->resize(first);
  if (starts->empty()) return;
  end_starts->assign(starts->begin() + at, starts->end());
  starts->resize(first);
}

Columns CutAt(std::size_t first, Columns* columns) {
  Columns end;
  end.with_starts = columns->with_starts;
  if (columns->histogram_times.empty()) {
    CutLane(first, &columns->times, &columns->values, &columns->starts, &end.times, &end.values,
            &end.starts);
  } else {
    CutLane(first, &columns->histogram_times, &columns->histograms, &columns->histogram_starts,
            &end.histogram_times, &end.histograms, &end.histogram_starts);
  }
  return end;
}

}  // namespace

// A sample is settled when the rule, begun with it, is in the same state after the sample behind
// it as when begun at the first one, and has not moved the other row.
void PenaltyFold::Settle(const std::vector<TimestampMs>& times, TimestampMs next) {
  while (settled_ + 1 < times.size() && times[settled_ + 1] <= next &&
         SeekAfter(times[settled_], kInitialPenalty) <= next) {
    const TimestampMs seek =
        settled_ == 0 ? SeekAfter(times[0], kInitialPenalty)
                      : SeekAfter(times[settled_], Twice(times[settled_ - 1], times[settled_]));
    if (std::max(seek, farthest_) > next) return;
    farthest_ = std::max(seek, farthest_);
    ++settled_;
  }
}

void PenaltyFold::Add(const Columns& samples) {
  const bool floats = merged_.histogram_times.empty() && samples.histogram_times.empty();
  const bool histograms = merged_.times.empty() && samples.times.empty();
  std::size_t first = 0;
  if (floats != histograms) {
    const std::vector<TimestampMs>& next = floats ? samples.times : samples.histogram_times;
    Settle(floats ? merged_.times : merged_.histogram_times, next.front());
    first = settled_ - std::min<std::size_t>(settled_, 1);
  }
  Columns end;
  if (floats == histograms || first == 0) {
    end.with_starts = merged_.with_starts;
    std::swap(end, merged_);
    settled_ = 0;
    farthest_ = kMinTime;
  } else {
    end = CutAt(first, &merged_);
  }
  const std::array<Row, 2> rows = {Row{.columns = &end}, Row{.columns = &samples}};
  store::dedup::MergePenalty(rows, store::dedup::Adjust::kNone,
                             store::dedup::ResetHints::kForgetAtSeams, &merged_);
}

}  // namespace aevum::compaction
