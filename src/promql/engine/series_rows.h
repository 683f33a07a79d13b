// Rows of the series of a select, made by several threads and handed out in their order.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/status.h"
#include "chunk/chunk.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "promql/engine/evaluation.h"
#include "promql/queryable.h"

namespace aevum::promql {

// Makes rows of the samples of series, one series after another. Thread-compatible: each thread has
// its own.
class RowMaker {
 public:
  virtual ~RowMaker() = default;
  // Whether it needs start timestamps.
  virtual bool wants_starts() const { return false; }
  // Adds the row of a series to `out`, unless no step has a value. The columns, which have their
  // staleness markers, may be changed.
  virtual Status Add(const model::Labels& labels, chunk::Columns* columns, Annotations& annotations,
                     RowBatch* out) = 0;
};

// Called in any of the threads.
using MakeRowMaker = std::function<StatusOr<std::unique_ptr<RowMaker>>()>;

// Gives the rows of a select. The series are cut into ranges whose size depends on the query alone.
// The caller pulls them from the source and makes rows; where there are several ranges, the helpers
// of the engine (`state.helpers`) make rows of other ranges meanwhile. Ranges come out in their
// order with their rows, annotations and the first error, so an answer is the same for any number
// of threads.
//
// Memory: two ranges a thread, charged. Once it is destroyed no thread uses `state` any more.
OperatorPtr MakeSeriesRows(QueryState& state, model::Matchers matchers, SelectHints hints,
                           std::size_t steps, MakeRowMaker make);

// How many series a range has: some 64 thousand steps or samples.
std::size_t SeriesPerRange(std::size_t steps, const SelectHints& hints);

}  // namespace aevum::promql
