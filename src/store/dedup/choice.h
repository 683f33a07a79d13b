// The choice of the row that is followed, where all rows are looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "store/dedup/row_reader.h"

namespace aevum::store::dedup {

// How long a choice of a row holds, aligned to multiples: as long as the blocks of a TSDB.
inline constexpr TimestampMs kEpoch = 7'200'000;

// A row is finer than another when its interval is shorter than this part of the other's.
inline constexpr double kFiner = 0.6;

inline TimestampMs EpochOf(TimestampMs time) { return time / kEpoch - (time % kEpoch < 0 ? 1 : 0); }

// A sample: which one of which row.
struct Spot {
  std::size_t row = 0;
  std::size_t index = RowReader::kNone;
  TimestampMs time = kMaxTime;
  TimestampMs interval = 0;  // of the samples that follow it; 0: not known
  int demerits = 0;

  bool found() const { return index != RowReader::kNone; }
};

// What comes before the spots that are chosen among.
enum class Choosing : std::uint8_t { kAfresh, kAfterSamples };

// Of the first spots of rows from a time on, in the order of time and at least one, the one to
// follow: of the finest rows that did not miss their first scrape the one that comes after the
// longest silence of all of them. `from` kMinTime: not known. Uses the spots up.
Spot ChooseSpot(std::span<Spot> spots, TimestampMs from, Choosing choosing);

}  // namespace aevum::store::dedup
