#include "store/dedup/steady_row.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "chunk/xor.h"
#include "store/dedup/choice.h"
#include "store/dedup/row_steps.h"

namespace aevum::store::dedup {
namespace {

using chunk::ChunkView;

constexpr std::size_t kMostRows = 16;  // bits of ChunkView::replicas
// Samples by which a row is chosen: the first, and the four steps behind it.
constexpr std::size_t kChoosingSamples = 5;
// A row of fewer samples is left to the rule, which has more cases at the ends of rows.
constexpr std::size_t kFewest = 10;
// Times and steps below these can't wrap round in any chunk.
constexpr TimestampMs kFarthest = TimestampMs{1} << 61;
constexpr TimestampMs kLongestStep = TimestampMs{1} << 44;

class SteadyRow {
 public:
  SteadyRow(std::span<const ChunkView> chunks, TimestampMs start, TimestampMs end,
            chunk::Columns* out)
      : chunks_(chunks), start_(start), end_(end), out_(out), first_(out->times.size()) {}

  bool Copy() {
    const bool copied =
        RowsArePlain() && Choose(start_) && Decode() && KeepsChoice() && NothingFollows();
    if (!copied) Cut(first_);
    return copied;
  }

 private:
  // Whether each row is of XOR chunks that follow one another.
  bool RowsArePlain();
  // Finds the row to follow from a time on. False when that is not plain.
  bool Choose(TimestampMs from);
  // The first sample of a row from a time on, if there is one. False when its chunks are not sound.
  bool Look(std::size_t row, TimestampMs from, Spot* spot);
  Spot SpotOf(std::size_t row, std::size_t first, std::size_t last) const;
  // Appends the chosen row. False when it is not sound, whole and without markers.
  bool Decode();
  bool DecodeChunk(const ChunkView& chunk);
  bool Trim();
  // Whether the row is the one to choose at each start of an epoch too.
  bool KeepsChoice();
  // Whether no row shows that the chosen one has ended, and none has a marker behind its end.
  bool NothingFollows();
  bool HasMarkerAfter(const ChunkView& chunk, TimestampMs time);

  bool IsOf(const ChunkView& chunk, std::size_t row) const {
    return (chunk.replicas >> row & 1) != 0;
  }
  void Cut(std::size_t size) {
    out_->times.resize(size);
    out_->values.resize(size);
  }

  const std::span<const ChunkView> chunks_;
  const TimestampMs start_;
  const TimestampMs end_;
  chunk::Columns* const out_;
  const std::size_t first_;  // of the samples in `out`

  std::size_t rows_ = 0;                         // greatest row + 1
  std::array<std::uint32_t, kMostRows> from_{};  // chunks before it end before the last look
  bool decoded_ = false;                         // the chosen row is in `out`
  std::size_t row_ = 0;                          // that is chosen
  // Of the chosen row.
  TimestampMs least_ = kMaxTime;
  TimestampMs most_ = 0;
  bool finite_ = true;
};

bool SteadyRow::RowsArePlain() {
  std::array<TimestampMs, kMostRows> ends;
  unsigned seen = 0;
  for (const ChunkView& chunk : chunks_) {
    const unsigned replica = chunk.replicas;
    if (chunk.aggregate != chunk::Aggregate::kRaw || chunk.encoding != chunk::Encoding::kXor ||
        replica == 0 || (replica & (replica - 1)) != 0) {
      return false;
    }
    TimestampMs& row_end = ends[static_cast<std::size_t>(std::countr_zero(replica))];
    if ((seen & replica) != 0 && chunk.min_time <= row_end) return false;
    row_end = chunk.max_time;
    seen |= replica;
  }
  rows_ = static_cast<std::size_t>(std::bit_width(seen));
  return true;
}

bool SteadyRow::Choose(TimestampMs from) {
  std::array<Spot, kMostRows> spots;
  std::size_t count = 0;
  for (std::size_t row = 0; row < rows_; ++row) {
    Spot spot;
    if (!Look(row, from, &spot)) return false;
    if (!spot.found()) continue;
    std::size_t at = count++;
    for (; at > 0 && spot.time <= spots[at - 1].time; --at) {
      if (spot.time == spots[at - 1].time) return false;  // the order of rows would tell
      spots[at] = spots[at - 1];
    }
    spots[at] = spot;
  }
  if (count == 0) return false;
  row_ = ChooseSpot(std::span(spots).first(count), from, Choosing::kAfresh).row;
  return true;
}

// Samples [first, last) of `out` are of the row.
Spot SteadyRow::SpotOf(std::size_t row, std::size_t first, std::size_t last) const {
  const TimestampMs* times = out_->times.data();
  Steps steps;
  for (std::size_t i = first + 1; i < last && !steps.full(); ++i) steps.Add(times[i - 1], times[i]);
  return {.row = row, .index = first, .time = times[first], .interval = steps.Interval()};
}

bool SteadyRow::Look(std::size_t row, TimestampMs from, Spot* spot) {
  if (decoded_ && row == row_) {
    const auto begin = out_->times.begin() + static_cast<std::ptrdiff_t>(first_);
    const auto at = std::lower_bound(begin, out_->times.end(), from);
    if (at == out_->times.end()) return true;
    *spot = SpotOf(row, static_cast<std::size_t>(at - out_->times.begin()), out_->times.size());
    return true;
  }
  // What is decoded here is behind the samples of `out` until the end.
  const std::size_t size = out_->times.size();
  std::size_t first = size;
  std::uint32_t& i = from_[row];
  while (i < chunks_.size() && (!IsOf(chunks_[i], row) || chunks_[i].max_time < from)) ++i;
  for (std::size_t k = i; k < chunks_.size(); ++k) {
    const ChunkView& chunk = chunks_[k];
    if (!IsOf(chunk, row)) continue;
    const std::size_t before = out_->times.size();
    const std::uint32_t most = chunk.min_time < from ? 0xffff : kChoosingSamples;
    if (!chunk::DecodeXor(chunk.data, out_, most).ok()) return false;
    const auto& times = out_->times;
    TimestampMs last = before > size ? times[before - 1] : Plus(chunk.min_time, -1);
    for (std::size_t s = before; s < times.size(); ++s) {
      if (times[s] <= last || times[s] < chunk.min_time || times[s] > chunk.max_time) return false;
      last = times[s];
      if (last < from) first = s + 1;
    }
    if (times.size() - first >= kChoosingSamples) break;
  }
  const auto begin = out_->times.begin() + static_cast<std::ptrdiff_t>(first);
  const auto past = std::upper_bound(begin, out_->times.end(), end_);
  const auto last = static_cast<std::size_t>(past - out_->times.begin());
  const bool plain = first == last || !chunk::IsStale(out_->values[first]);
  if (plain && first < last) *spot = SpotOf(row, first, last);
  Cut(size);
  return plain;
}

bool SteadyRow::Decode() {
  for (const ChunkView& chunk : chunks_) {
    if (IsOf(chunk, row_) && !DecodeChunk(chunk)) return false;
  }
  decoded_ = true;
  return Trim();
}

bool SteadyRow::DecodeChunk(const ChunkView& chunk) {
  const std::size_t before = out_->times.size();
  chunk::XorSummary seen;
  if (!chunk::DecodeXor(chunk.data, &seen, out_).ok()) return false;
  const auto& times = out_->times;
  if (times.size() == before) return true;
  if (times[before] < chunk.min_time || times.back() > chunk.max_time ||
      times[before] < -kFarthest || times[before] > kFarthest) {
    return false;
  }
  if (before > first_) {
    const TimestampMs step = Between(times[before - 1], times[before]);
    seen.least_step = std::min(seen.least_step, step);
    seen.most_step = std::max(seen.most_step, step);
  }
  least_ = std::min(least_, seen.least_step);
  most_ = std::max(most_, seen.most_step);
  finite_ &= seen.finite;
  // Even steps: the rule finds neither a gap nor a seam.
  return least_ > 0 && most_ < kLongestStep && most_ <= Tolerated(least_);
}

// Leaves the samples inside the bounds. False when they are few or there are markers.
bool SteadyRow::Trim() {
  auto& times = out_->times;
  auto& values = out_->values;
  const auto begin = times.begin() + static_cast<std::ptrdiff_t>(first_);
  if (times.size() > first_ && times.back() > end_) {
    Cut(static_cast<std::size_t>(std::upper_bound(begin, times.end(), end_) - times.begin()));
  }
  if (times.size() > first_ && *begin < start_) {
    const auto outside = std::lower_bound(begin, times.end(), start_) - begin;
    const auto values_begin = values.begin() + static_cast<std::ptrdiff_t>(first_);
    times.erase(begin, begin + outside);
    values.erase(values_begin, values_begin + outside);
  }
  if (times.size() < first_ + kFewest) return false;
  return finite_ || std::none_of(values.begin() + static_cast<std::ptrdiff_t>(first_), values.end(),
                                 chunk::IsStale);
}

bool SteadyRow::KeepsChoice() {
  const std::size_t row = row_;
  const TimestampMs last = EpochOf(out_->times.back());
  for (TimestampMs epoch = EpochOf(out_->times[first_]) + 1; epoch <= last; ++epoch) {
    const bool plain = Choose(epoch * kEpoch);
    const bool kept = plain && row_ == row;
    row_ = row;
    if (!kept) return false;
  }
  return true;
}

bool SteadyRow::NothingFollows() {
  const TimestampMs last = out_->times.back();
  const TimestampMs certain = Plus(last, Tolerated(least_));
  for (const ChunkView& chunk : chunks_) {
    if (chunk.max_time <= last) continue;
    if (IsOf(chunk, row_)) {
      if (chunk.max_time <= end_) return false;  // it ends before its bounds say
      continue;
    }
    if (std::min(chunk.max_time, end_) > certain) return false;
    if (!chunk::IsFiniteXor(chunk.data) && HasMarkerAfter(chunk, last)) return false;
  }
  return true;
}

bool SteadyRow::HasMarkerAfter(const ChunkView& chunk, TimestampMs time) {
  const std::size_t size = out_->times.size();
  bool marker = !chunk::DecodeXor(chunk.data, out_).ok();
  for (std::size_t i = size; i < out_->times.size(); ++i) {
    marker |= out_->times[i] > time && chunk::IsStale(out_->values[i]);
  }
  Cut(size);
  return marker;
}

}  // namespace

bool CopySteadyRow(std::span<const ChunkView> chunks, TimestampMs start, TimestampMs end,
                   chunk::Columns* out) {
  if (!SteadyRow(chunks, start, end, out).Copy()) return false;
  out->FitStarts();
  return true;
}

}  // namespace aevum::store::dedup
