// Which part of downsampled data a function reads, and reading it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "chunk/chunk.h"
#include "wire/store_api.h"

namespace aevum::store {

// What to ask stores for: one aggregate, or count and sum for an average.
std::vector<wire::Aggr> AggregatesOf(std::string_view function);

// The resolution that is fine enough: functions that need two samples in their range get data of at
// most half the range.
std::int64_t ResolutionFor(std::int64_t max_resolution_ms, std::int64_t range_ms,
                           std::string_view function);

// Appends the samples of the parts of one chunk: of a raw chunk as they are; of an aggregate chunk
// those of the wanted aggregate, or sum divided by count. Corruption when the parts do not have it.
Status DecodeParts(std::span<const chunk::ChunkView> parts, std::span<const wire::Aggr> wanted,
                   chunk::Columns* out);

// The end of the parts that begin at `first`: one raw chunk, or parts of one aggregate chunk.
std::size_t PartsEnd(std::span<const chunk::ChunkView> chunks, std::size_t first);

}  // namespace aevum::store
