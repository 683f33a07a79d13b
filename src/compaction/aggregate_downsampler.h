// Aggregate chunks of one series made coarser.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "compaction/sample_encoder.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {

// Appends aggregate chunks of another resolution. Chunks are put together as wholes, since their
// counters begin and end with true values of the series. Corruption when a chunk can't be read.
Status DownsampleAggregates(std::span<const tsdb::WrittenChunk> chunks, std::int64_t from_ms,
                            std::int64_t to_ms, std::vector<EncodedChunk>* out);

}  // namespace aevum::compaction
