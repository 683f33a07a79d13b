// Which sample of another row may follow the last value of a counter.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "store/dedup/adaptive.h"
#include "store/dedup/row_reader.h"

namespace aevum::store::dedup {

// The longest that samples are left out for, at a switch of a known counter; so also the greatest
// difference of clocks between replicas that is understood.
inline constexpr TimestampMs kGuardWindow = 300'000;

// Remembers the last number given out and tells which samples would make it a counter that goes
// backwards without a reset. Rows are told apart by their position in `rows`, which is borrowed.
// Thread-compatible.
class CounterGuard {
 public:
  CounterGuard(std::span<RowReader*> rows, SeriesType type) : rows_(rows), type_(type) {}

  // A sample was given out. Numbers are remembered.
  void Emitted(std::size_t row, std::size_t i);
  // The first position from `i` on whose sample may come next; kNone when there is none or `i` is
  // kNone.
  std::size_t Admit(std::size_t row, std::size_t i, TimestampMs last_time);
  // Whether a sample, at a distance from the last one given out, is below it where the row goes
  // over from one replica to another: sooner than a scrape is due, in a series that may be a
  // counter. A fall to less than half may be a reset unless it comes very soon.
  bool StepsBack(std::size_t row, std::size_t i, TimestampMs distance, TimestampMs interval);
  // Whether two samples of different rows show clocks that differ: of a counter, our own next one
  // is not below the last number, and the other's earlier one is above it.
  bool ShowsSkew(std::size_t row, std::size_t i, std::size_t other, std::size_t j,
                 TimestampMs last_time);

 private:
  SeriesType TypeOf(std::size_t row, std::size_t i);
  bool Numeric(std::size_t row, std::size_t i);
  bool IsCounter(std::size_t row, std::size_t i, TimestampMs last_time);
  // Whether the last steps up to a position never fall and rise at least so often.
  bool Rises(std::size_t row, std::size_t i, int least);
  std::size_t NumericBefore(std::size_t row, std::size_t i);
  // Whether a number is below the one before it in its row by a reset, and not by a seam of two
  // replicas, where the row steps back a little.
  bool IsDrop(std::size_t row, std::size_t i);
  // Whether a row has a drop in (after, until] that the row of the last number never showed,
  // although it was there.
  bool MissedReset(std::size_t row, TimestampMs after, TimestampMs until, TimestampMs window,
                   TimestampMs last_time);
  // The last drop with a time in (after, until]; kNone when there is none.
  std::size_t Drop(std::size_t row, TimestampMs after, TimestampMs until);
  // Whether the row of the last number goes on after a time, up to another, without a drop.
  bool SourceGoesOn(TimestampMs after, TimestampMs until);
  // The drop after `j`, up to a time; kNone when there is none.
  std::size_t DropAfter(std::size_t row, std::size_t j, TimestampMs until);

  const std::span<RowReader*> rows_;
  const SeriesType type_;
  bool any_ = false;
  bool histogram_ = false;  // what the last number is
  double value_ = 0;
  std::size_t source_ = 0;
};

}  // namespace aevum::store::dedup
