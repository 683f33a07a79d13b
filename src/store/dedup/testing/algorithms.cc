#include "store/dedup/testing/algorithms.h"

#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "store/dedup/counter.h"
#include "store/dedup/penalty.h"
#include "store/dedup/replicas.h"

namespace aevum::store::dedup::testing {

using chunk::Columns;

Columns Adaptive(const SimulatedCase& c, SeriesType type) {
  std::vector<RowReader> rows;
  for (const Columns& replica : c.replicas) rows.emplace_back(replica);
  Columns out;
  const Status status = MergeAdaptive(rows, {.type = type, .range_start = c.start}, &out);
  AEVUM_CHECK(status.ok());
  return out;
}

Columns Penalty(const SimulatedCase& c, PenaltyPath path) {
  const bool unroll = path == PenaltyPath::kUnrolled;
  std::vector<Columns> unrolled;
  for (const Columns& replica : c.replicas) {
    if (unroll) {
      ApplyCounterResets(std::span(&replica, 1), &unrolled.emplace_back());
    } else {
      unrolled.push_back(replica);
    }
  }
  std::vector<Row> rows;
  for (const Columns& columns : unrolled) rows.push_back({.columns = &columns});
  Columns out;
  MergePenalty(rows, unroll ? Adjust::kCounter : Adjust::kNone, ResetHints::kKeep, &out);
  return out;
}

Columns UnionOf(const SimulatedCase& c) {
  Columns out;
  Union(c.replicas, &out);
  return out;
}

Measure BestSingle(const SimulatedCase& c) {
  Measure best;
  for (std::size_t i = 0; i < c.replicas.size(); ++i) {
    Measure one = MeasureSamples(c, c.replicas[i]);
    const auto key = [](const Measure& m) { return std::pair(m.missing, m.MeanError()); };
    if (i == 0 || key(one) < key(best)) best = std::move(one);
  }
  return best;
}

}  // namespace aevum::store::dedup::testing
