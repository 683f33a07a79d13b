// Deduplication of replicas that follows one replica and goes to another only across a real gap.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "chunk/chunk.h"
#include "store/dedup/row_reader.h"

namespace aevum::store::dedup {

// What a series is, as far as its labels or its use tell. Native histograms tell it themselves.
enum class SeriesType : std::uint8_t { kUnknown, kCounter, kGauge };

struct AdaptiveOptions {
  SeriesType type = SeriesType::kUnknown;
  // Where the range that is asked for starts; kMinTime: not known.
  TimestampMs range_start = kMinTime;
};

// Appends the samples that remain of the rows, each a row of one replica. Follows one row and
// copies its samples. Where the next one is more than 1.5 of the row's own intervals away, or is a
// staleness marker, or where the row ends, another row that has a sample in the gap takes over and
// is followed from then on. The row is chosen afresh every two hours, so that an answer does not
// depend for long on where it starts. A sample of another row that would make a counter go
// backwards without a reset is left out. No value is ever changed; a histogram that does not
// follow its predecessor in its row loses its reset hint. The result does not depend on the order
// of the rows, on equal ones among them or on how they are cut into chunks.
//
// docs/dev/dedup.md has the rule and what it was measured against. O(samples of the row that is
// followed) plus O(rows) at each gap. The rows are used up. The error of a row that could not be
// read.
Status MergeAdaptive(std::span<RowReader> rows, const AdaptiveOptions& options,
                     chunk::Columns* out);

}  // namespace aevum::store::dedup
