#include "store/dedup/adaptive.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <vector>

#include "store/dedup/choice.h"
#include "store/dedup/counter_guard.h"
#include "store/dedup/row_order.h"
#include "store/dedup/row_steps.h"

namespace aevum::store::dedup {
namespace {

constexpr std::size_t kNone = RowReader::kNone;
constexpr TimestampMs kNever = kMaxTime;
// Samples that are checked for flags at once.
constexpr std::size_t kBlock = 128;
// Samples before one that its interval is told by.
constexpr std::size_t kBack = 5;

bool Exceeds(TimestampMs distance, double factor, TimestampMs interval) {
  return static_cast<double>(distance) > factor * static_cast<double>(interval);
}

bool IsMarker(double value) { return std::bit_cast<std::uint64_t>(value) == chunk::kStaleNanBits; }

class Follower {
 public:
  Follower(std::span<RowReader*> rows, const AdaptiveOptions& options, chunk::Columns* out)
      : rows_(rows), guard_(rows, options.type), range_start_(options.range_start), out_(out) {}

  Status Run() {
    bool more = true;
    while (more) {
      if (!any_ || last_is_marker_) {
        more = Restart();
      } else if (!CopyBlock()) {
        more = Advance();
      }
      for (const RowReader* row : rows_) RETURN_IF_ERROR(row->status());
    }
    Flush();
    for (const RowReader* row : rows_) RETURN_IF_ERROR(row->status());
    return OkStatus();
  }

 private:
  // What is known where the next sample of the followed row is looked at.
  struct Look {
    std::size_t next = 0;       // position of the sample, past the end when the row has ended
    TimestampMs time = kNever;  // of that sample
    TimestampMs interval = 0;   // of the row here
    TimestampMs within = 0;     // of the row, or of a finer one lately in use
    bool gap = false;           // not only a coarser interval
    bool marker = false;        // a marker of this row alone was passed over
  };

  bool Live(std::size_t row, std::size_t i) { return !IsMarker(rows_[row]->Value(i)); }
  // The first position from `i` on that is no marker.
  std::size_t LiveFrom(std::size_t row, std::size_t i) {
    if (i == kNone) return kNone;
    while (rows_[row]->Has(i)) {
      if (Live(row, i)) return i;
      ++i;
    }
    return kNone;
  }
  TimestampMs TimeOrNever(std::size_t row, std::size_t i) {
    return i != kNone && rows_[row]->Has(i) ? rows_[row]->Time(i) : kNever;
  }
  std::size_t AdmitLive(std::size_t row, TimestampMs from) {
    const std::size_t i = guard_.Admit(row, LiveFrom(row, rows_[row]->Next(from)), last_time_);
    return i != kNone && Live(row, i) ? i : kNone;
  }
  TimestampMs OtherInterval(std::size_t row, std::size_t next, const Look& look) {
    const TimestampMs interval = IntervalAt(*rows_[row], next);
    return interval != 0 ? interval : look.interval;
  }
  static TimestampMs Half(TimestampMs interval, const Look& look) {
    return std::max<TimestampMs>(1, std::min(interval, look.within) / 2);
  }
  // Where two samples have the same time: a number before NaN, the greater number, the earlier row.
  bool Precedes(const Spot& a, const Spot& b) {
    if (a.time != b.time) return a.time < b.time;
    const double x = rows_[a.row]->Value(a.index);
    const double y = rows_[b.row]->Value(b.index);
    if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
    if (!std::isnan(x) && x != y) return x > y;
    return a.row < b.row;
  }

  void Emit(std::size_t row, std::size_t i) { EmitRun(row, i, 1); }

  // Notes that samples are given out; they are copied when the run that they belong to ends.
  void EmitRun(std::size_t row, std::size_t first, std::size_t count) {
    if (run_count_ == 0 || row != row_ || first != index_ + 1) {
      Flush();
      run_first_ = first;
    }
    run_count_ += count;
    row_ = row;
    index_ = first + count - 1;
    any_ = true;
    std::size_t numeric = index_;
    while (numeric > first && std::isnan(rows_[row]->Value(numeric))) --numeric;
    guard_.Emitted(row, numeric);
    last_time_ = rows_[row]->Time(index_);
    last_is_marker_ = !Live(row, index_);
  }
  void Flush() {
    if (run_count_ > 0) rows_[row_]->MoveTo(run_first_, run_count_, /*forget=*/true, out_);
    run_count_ = 0;
  }

  void Take(std::size_t i) {
    if (!Cross(rows_[row_]->Time(i))) Emit(row_, i);
  }

  bool CopyBlock();
  bool Advance();
  Look LookAhead();
  Spot BestOther(const Look& look);
  bool OthersAlive(TimestampMs time, const Look& look);
  bool EmitMarkerOfOthers();
  bool Restart();
  bool EmitFirstMarker(const Spot& choice);
  Spot Choose(TimestampMs from, Choosing choosing);
  bool Cross(TimestampMs time);

  const std::span<RowReader*> rows_;
  CounterGuard guard_;
  const TimestampMs range_start_;
  chunk::Columns* const out_;

  bool any_ = false;  // something was given out
  bool last_is_marker_ = false;
  std::size_t row_ = 0;    // that is followed
  std::size_t index_ = 0;  // of the last sample given out
  TimestampMs last_time_ = kMinTime;
  TimestampMs want_ = 0;  // the finest interval lately in use
  TimestampMs epoch_ = 0;
  std::size_t run_first_ = 0;  // samples given out and not copied yet
  std::size_t run_count_ = 0;
};

// How many of the samples that start at `times` follow one another so evenly that the rule finds
// neither gap nor seam among them. `least` and `most` are of the steps that come before.
std::size_t EvenSteps(const TimestampMs* times, std::size_t count, TimestampMs last,
                      TimestampMs least, TimestampMs most) {
  const auto is_even = [&] { return most <= Tolerated(least); };
  const auto add = [&](TimestampMs from, TimestampMs to) {
    const TimestampMs step = Between(from, to);
    least = std::min(least, step);
    most = std::max(most, step);
  };
  add(last, times[0]);
  if (!is_even()) return 0;
  const TimestampMs least_before = least;
  const TimestampMs most_before = most;
  for (std::size_t i = 1; i < count; ++i) add(times[i - 1], times[i]);
  if (is_even()) return count;
  least = least_before;
  most = most_before;
  for (std::size_t i = 1; i < count; ++i) {
    add(times[i - 1], times[i]);
    if (!is_even()) return i;
  }
  return count;
}

// Gives out the next samples of the followed row where it is plain that the rule would: even steps,
// no marker, no start of an epoch. False when the rule must be asked.
bool Follower::CopyBlock() {
  RowReader& row = *rows_[row_];
  const std::size_t next = index_ + 1;
  TimestampMs least = want_ > 0 ? want_ : kMaxTime;
  TimestampMs most = 0;
  const std::size_t before = next - row.begin();
  for (std::size_t q = next - 1; q > row.begin() && next - q < kBack; --q) {
    const TimestampMs step = Between(row.Time(q - 1), row.Time(q));
    least = std::min(least, step);
    most = std::max(most, step);
  }
  const RowReader::Stretch stretch = row.StretchFrom(next);
  if (stretch.times.empty()) return false;
  std::size_t count = EvenSteps(stretch.times.data(), std::min(stretch.times.size(), kBlock),
                                last_time_, least, most);
  // Where there are not enough steps before, those after tell the interval, up to this many.
  if (before < kBack && count < 2 * kBack) return false;
  while (count > 0 && EpochOf(stretch.times[count - 1]) != epoch_) --count;
  bool markers = false;
  for (std::size_t i = 0; i < count; ++i) markers |= IsMarker(stretch.values[i]);
  if (markers) {
    count = static_cast<std::size_t>(
        std::find_if(stretch.values.begin(), stretch.values.end(), IsMarker) -
        stretch.values.begin());
  }
  if (count == 0) return false;
  EmitRun(row_, next, count);
  return true;
}

// One round of the rule. False at the end.
bool Follower::Advance() {
  Look look = LookAhead();
  RowReader& row = *rows_[row_];
  const bool has_next = row.Has(look.next);
  const bool marker = has_next && !Live(row_, look.next);
  if (has_next && !marker && !Exceeds(Between(last_time_, look.time), kTolerance, look.within)) {
    Take(look.next);
    return true;
  }
  look.gap =
      !has_next || marker || Exceeds(Between(last_time_, look.time), kTolerance, look.interval);
  if (marker) {
    if (!OthersAlive(look.time, look)) {  // the target is gone
      Take(look.next);
      return true;
    }
    look.marker = true;  // one scrape failed
    const std::size_t live = LiveFrom(row_, look.next);
    look.time = TimeOrNever(row_, live);
    look.next = live;
  }
  const bool ended = look.time == kNever;
  TimestampMs newest = kMinTime;
  if (ended && !look.marker) {
    for (RowReader* one : rows_) newest = std::max(newest, one->Newest());
  }
  // A hole is certain, and not just the end of the data.
  if (!ended || look.marker || newest > Plus(last_time_, Tolerated(look.within))) {
    const Spot best = BestOther(look);
    if (best.found()) {
      if (!Cross(best.time)) {
        Emit(best.row, best.index);
        want_ = std::min(look.within, best.interval);
      }
      return true;
    }
  }
  if (!ended) {
    Take(look.next);
    return true;
  }
  return EmitMarkerOfOthers();
}

Follower::Look Follower::LookAhead() {
  Look look;
  RowReader& row = *rows_[row_];
  look.next = index_ + 1;
  look.interval = IntervalAt(row, look.next);
  for (std::size_t y = 0; look.interval == 0 && y < rows_.size(); ++y) {
    const std::size_t i = rows_[y]->Next(last_time_);
    if (i != kNone) look.interval = IntervalAt(*rows_[y], i);
  }
  look.within = want_ > 0 ? std::min(want_, look.interval) : look.interval;
  // A seam of two replicas inside the row itself.
  while (row.Has(look.next) &&
         guard_.StepsBack(row_, look.next, Between(last_time_, row.Time(look.next)), look.within)) {
    ++look.next;
  }
  look.time = TimeOrNever(row_, look.next);
  return look;
}

Spot Follower::BestOther(const Look& look) {
  Spot best;
  for (std::size_t y = 0; y < rows_.size(); ++y) {
    if (y == row_) continue;
    const std::size_t next = rows_[y]->Next(Plus(last_time_, 1));
    if (next == kNone) continue;
    const TimestampMs interval = OtherInterval(y, next, look);
    // Without a gap only a finer row takes over.
    if (!look.gap && Exceeds(interval, kFiner, look.interval)) continue;
    const TimestampMs half = Half(interval, look);
    const std::size_t i = AdmitLive(y, Plus(last_time_, half));
    if (i == kNone) continue;
    const Spot spot{.row = y, .index = i, .time = rows_[y]->Time(i), .interval = interval};
    if (look.time != kNever) {
      if (spot.time > Plus(look.time, -half)) continue;  // nothing gained before our own return
      if (Between(last_time_, look.time) <= kGuardWindow &&
          guard_.ShowsSkew(row_, look.next, y, i, last_time_)) {
        continue;
      }
    }
    if (!best.found() || Precedes(spot, best)) best = spot;
  }
  return best;
}

// Whether a row other than the followed one goes on at a time, give or take its interval.
bool Follower::OthersAlive(TimestampMs time, const Look& look) {
  const bool far = Exceeds(Between(last_time_, time), kTolerance, look.within);
  for (std::size_t y = 0; y < rows_.size(); ++y) {
    if (y == row_) continue;
    RowReader& row = *rows_[y];
    std::size_t i = row.Next(Plus(last_time_, 1));
    if (i == kNone) continue;
    const TimestampMs interval = OtherInterval(y, i, look);
    const TimestampMs from = Plus(last_time_, Half(interval, look));
    while (row.Has(i) && row.Time(i) < from && (far || Live(y, i))) ++i;
    while (far && row.Has(i) && !Live(y, i) && row.Time(i) < time) ++i;
    if (row.Has(i) && Live(y, i) && row.Time(i) <= Plus(Plus(time, interval), interval / 8)) {
      return true;
    }
  }
  return false;
}

bool Follower::EmitMarkerOfOthers() {
  Spot first;
  for (std::size_t y = 0; y < rows_.size(); ++y) {
    if (y == row_) continue;
    std::size_t i = rows_[y]->Next(Plus(last_time_, 1));
    if (i == kNone) continue;
    while (rows_[y]->Has(i) && Live(y, i)) ++i;
    const TimestampMs time = TimeOrNever(y, i);
    if (time < first.time) first = {.row = y, .index = i, .time = time};
  }
  if (!first.found()) return false;
  Emit(first.row, first.index);
  return true;
}

bool Follower::Restart() {
  const TimestampMs from = any_ ? Plus(last_time_, 1) : range_start_;
  const Spot choice = Choose(from, any_ ? Choosing::kAfterSamples : Choosing::kAfresh);
  if (!any_ && EmitFirstMarker(choice)) return true;
  if (!choice.found()) return false;
  Emit(choice.row, choice.index);
  want_ = IntervalAt(*rows_[choice.row], choice.index);
  epoch_ = EpochOf(choice.time);
  return true;
}

bool Follower::EmitFirstMarker(const Spot& choice) {
  Spot first;
  for (std::size_t y = 0; y < rows_.size(); ++y) {
    const std::size_t i = rows_[y]->Next(range_start_);
    if (i == kNone || Live(y, i)) continue;
    const TimestampMs time = rows_[y]->Time(i);
    if (time < first.time) first = {.row = y, .index = i, .time = time};
  }
  if (!first.found()) return false;
  const TimestampMs interval = IntervalAt(*rows_[first.row], first.index);
  if (choice.found() && choice.time <= Plus(first.time, interval)) return false;
  Emit(first.row, first.index);
  epoch_ = EpochOf(first.time);
  return true;
}

// The sample to go on with from a time on, told by what follows it only, but for what the guard
// leaves out.
Spot Follower::Choose(TimestampMs from, Choosing choosing) {
  const bool guarded = choosing == Choosing::kAfterSamples;
  std::vector<Spot> spots;
  for (std::size_t y = 0; y < rows_.size(); ++y) {
    const std::size_t live = LiveFrom(y, rows_[y]->Next(from));
    const std::size_t i = guarded ? guard_.Admit(y, live, last_time_) : live;
    if (i == kNone || !Live(y, i)) continue;
    spots.push_back({.row = y,
                     .index = i,
                     .time = rows_[y]->Time(i),
                     .interval = IntervalAfter(*rows_[y], i),
                     .demerits = i == live ? 0 : 1});
  }
  if (spots.empty()) return {};
  std::sort(spots.begin(), spots.end(),
            [this](const Spot& a, const Spot& b) { return Precedes(a, b); });
  return ChooseSpot(spots, from, choosing);
}

// Where an epoch starts at or before a time, the row that all replicas choose there takes over.
// True when a sample of it was given out instead of the one at that time.
bool Follower::Cross(TimestampMs time) {
  const TimestampMs epoch = EpochOf(time);
  if (epoch == epoch_) return false;
  epoch_ = epoch;
  want_ = 0;
  const TimestampMs start = Times(epoch, kEpoch);
  const Spot choice = Choose(start, Choosing::kAfresh);
  if (!choice.found()) return false;
  const TimestampMs interval = IntervalAt(*rows_[choice.row], choice.index);
  if (choice.row == row_) {
    want_ = interval;
    return false;
  }
  const TimestampMs spaced = Plus(last_time_, std::max<TimestampMs>(1, interval / 2));
  const std::size_t i = AdmitLive(choice.row, std::max(start, spaced));
  if (i == kNone) return false;
  const TimestampMs chosen = rows_[choice.row]->Time(i);
  if (chosen > Plus(time, Times(interval, 2)) || EpochOf(chosen) != epoch) return false;
  Emit(choice.row, i);
  want_ = interval;
  return true;
}

}  // namespace

Status MergeAdaptive(std::span<RowReader> rows, const AdaptiveOptions& options,
                     chunk::Columns* out) {
  std::vector<RowReader*> distinct;
  for (RowReader& row : rows) {
    if (row.Has(row.begin())) distinct.push_back(&row);
    RETURN_IF_ERROR(row.status());
  }
  SortDistinct(&distinct);
  for (const RowReader* row : distinct) RETURN_IF_ERROR(row->status());
  if (distinct.empty()) return OkStatus();
  if (distinct.size() == 1) {
    RowReader& row = *distinct.front();
    row.MoveTo(row.begin(), RowReader::kNone - row.begin(), /*forget=*/false, out);
    return row.status();
  }
  return Follower(distinct, options, out).Run();
}

}  // namespace aevum::store::dedup
