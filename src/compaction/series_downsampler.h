// The chunks of one series made coarser.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "chunk/chunk.h"
#include "compaction/float_downsampler.h"
#include "compaction/sample_encoder.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {

// Takes series after series of one block. Keeps its memory. Thread-compatible.
class SeriesDownsampler {
 public:
  // `from_ms` is the resolution of the chunks that come, 0 or that of aggregate chunks.
  SeriesDownsampler(std::int64_t from_ms, std::int64_t to_ms)
      : from_ms_(from_ms), to_ms_(to_ms), floats_(to_ms) {}

  // Replaces `out` by the aggregate chunks of a series; none when it has no number. Corruption when
  // a chunk can't be decoded or chunks overlap.
  Status Downsample(std::span<const tsdb::WrittenChunk> chunks, std::vector<EncodedChunk>* out);

 private:
  Status DownsampleRaw(std::span<const tsdb::WrittenChunk> chunks,
                       std::vector<EncodedChunk>* out);
  Status Flush(std::vector<EncodedChunk>* out);

  const std::int64_t from_ms_;
  const std::int64_t to_ms_;
  FloatDownsampler floats_;
  chunk::Columns columns_;  // scratch: samples of chunks in a row that are of one kind
};

// Appends the samples of a chunk that are no staleness markers and do not go back in time.
Status DecodeForDownsampling(chunk::Encoding encoding, std::string_view data,
                             chunk::Columns* out);

}  // namespace aevum::compaction
