// What PromQL reads from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "model/labels.h"
#include "model/matcher.h"

namespace aevum::promql {

// What the query will do with the series; a source may use it to read less, never to answer other
// samples in [start_ms, end_ms].
struct SelectHints {
  TimestampMs start_ms = 0;  // first and last time that samples are needed for, both inclusive
  TimestampMs end_ms = 0;
  std::int64_t step_ms = 0;   // 0 for instant queries
  std::int64_t range_ms = 0;  // of the range selector, else 0
  std::string function;       // the innermost function or aggregation around the selector
  bool by = false;
  std::vector<std::string> grouping;
};

// Some series of an answer, encoded. Immutable; Decode may run on several threads at once.
class SelectBatch {
 public:
  virtual ~SelectBatch() = default;
  virtual std::size_t size() const = 0;
  virtual const model::Labels& labels(std::size_t index) const = 0;
  // Appends the samples of a series, ascending and with different times, as they are stored
  // (staleness markers and samples outside the hints included), with start timestamps where `out`
  // wants them.
  virtual Status Decode(std::size_t index, chunk::Columns* out) const = 0;
  // What it keeps in memory, roughly.
  virtual std::int64_t memory_bytes() const = 0;
};

// The series of a select, ascending by labels, each label set once. Pulled by one thread at a time.
class SelectStream {
 public:
  virtual ~SelectStream() = default;
  // Null at the end.
  virtual StatusOr<std::unique_ptr<const SelectBatch>> Next() = 0;
  // What came up so far, for example a store that did not answer. Complete after the end.
  virtual std::vector<std::string> warnings() const = 0;
};

// Thread-safe.
class Queryable {
 public:
  virtual ~Queryable() = default;
  virtual StatusOr<std::unique_ptr<SelectStream>> Select(const Context& context,
                                                         const model::Matchers& matchers,
                                                         const SelectHints& hints) = 0;
  // Whether the labels that series come with tell which of them a matcher for the label selects.
  // Not so for labels that a source looks at and then takes away.
  virtual bool MatchesOnLabels(std::string_view /*label*/) const { return true; }
};

}  // namespace aevum::promql
