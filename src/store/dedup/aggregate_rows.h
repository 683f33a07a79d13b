// Deduplication of downsampled data, whose samples stand for windows that all replicas share.
#pragma once

#include <span>
#include <vector>

#include "chunk/chunk.h"

namespace aevum::store::dedup {

// One aggregate of one replica, borrowed.
struct AggregateRow {
  const chunk::Columns* values = nullptr;
  // As floats, how many raw samples each window has. Windows that are not there count as 0.
  const chunk::Columns* counts = nullptr;
};

// Whether values are totals of a counter that never fall (ApplyCounterResets makes them so). Totals
// of two replicas are equal but for resets that only one of them saw. Where the last total of the
// new row before a switch shows such a difference, by more than a third of what it grows in a
// window, what follows is moved by it: here values may change, since they are derived. The result
// never falls.
enum class Totals : std::uint8_t { kNo, kYes };

// Appends one sample a window. Follows a row while its count is at least three quarters of the
// greatest count of the window, else goes to the row with the greatest. Samples closer than half a
// window to the last are left out where rows change. The order of rows does not matter.
void MergeAggregates(std::span<const AggregateRow> rows, TimestampMs window, Totals totals,
                     chunk::Columns* out);

// What there is of a series in one resolution.
struct Layer {
  struct Span {
    TimestampMs from = 0;  // both inclusive
    TimestampMs to = 0;
  };
  chunk::Columns samples;
  std::vector<Span> spans;  // that it covers
};

// Appends the samples of layers, the finest first: of a coarser one only what no finer one covers.
void JoinLayers(std::span<const Layer> layers, Totals totals, chunk::Columns* out);

}  // namespace aevum::store::dedup
