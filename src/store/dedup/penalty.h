// Deduplication of replicas at query time, as Thanos does it: `penalty` and `chain`.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "chunk/chunk.h"

namespace aevum::store::dedup {

// The samples of one replica, as the querier reads them. Borrows the columns.
struct Row {
  const chunk::Columns* columns = nullptr;
  // Later samples are out of reach, but for the first of them where the rule asks for the next
  // sample after a time up to this one. So the chunk reader of Thanos's querier bounds its samples.
  TimestampMs max_time = kMaxTime;
};

// What happens to the reset hint of a histogram whose predecessor in the output is not its
// predecessor in its row.
enum class ResetHints : std::uint8_t { kKeep, kForgetAtSeams };

// Do values of a replica that is behind get raised to the last value given, so that a counter never
// falls where replicas are switched. Thanos does so for the functions that IsCounterFunction names;
// we only do it for counter aggregates of downsampled data, since it changes values.
enum class Adjust : std::uint8_t { kNone, kCounter };

// increase, rate, irate, resets.
bool IsCounterFunction(std::string_view function);

// Appends the samples that remain of the rows, with start timestamps where `out` and the rows
// want them. Keeps to the row with the next sample; the other row
// may come in only after twice the last distance between samples (5 s at first). More than two rows
// are folded from the left, so their order matters. Without adjusting O(samples), without
// allocation but for the rows between two folds.
void MergePenalty(std::span<const Row> rows, Adjust adjust, ResetHints hints, chunk::Columns* out);

// Appends the union of the rows: of samples at one time the row that is being read wins, which
// depends on what came before. A histogram after a change of rows loses its reset hint.
void MergeChain(std::span<const Row> rows, chunk::Columns* out);

}  // namespace aevum::store::dedup
