// Decodes the series of a select into columns that are used again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/memory_budget.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "promql/engine/evaluation.h"
#include "promql/queryable.h"

namespace aevum::promql {

// Holds the columns of one series at a time, charged to the query's budget. Thread-compatible: each
// thread has its own.
class SeriesDecoder {
 public:
  // `statistics_only`: of histograms nothing but count and sum is needed.
  SeriesDecoder(const QueryState& state, bool statistics_only)
      : statistics_only_(statistics_only),
        charge_(state.context.budget()),
        histogram_charge_(state.context.budget()) {}

  // Puts the samples of a series, with their staleness markers, into the columns, and start
  // timestamps where those want them.
  Status Decode(const SelectBatch& batch, std::size_t index);

  // What the last Decode gave. May be changed.
  chunk::Columns* columns() { return &columns_; }
  // Samples of the last Decode.
  std::int64_t samples() const {
    return static_cast<std::int64_t>(columns_.values.size() + columns_.histograms.size());
  }

 private:
  Status ChargeHistograms();

  const bool statistics_only_;
  chunk::Columns columns_;
  MemoryCharge charge_;
  MemoryCharge histogram_charge_;
};

}  // namespace aevum::promql
