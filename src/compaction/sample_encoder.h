// Samples in columns made into chunks, cut as Prometheus cuts them when it merges blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "tsdb/block_writer.h"

namespace aevum::compaction {

// Where Prometheus begins another chunk.
inline constexpr std::size_t kMostChunkSamples = 120;

struct EncodedChunk {
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
  std::uint8_t encoding = 0;
  std::string data;

  tsdb::WrittenChunk View() const { return {min_time, max_time, {encoding, data}}; }
};

struct EncodingChoice {
  chunk::Encoding floats = chunk::Encoding::kXor;
  chunk::Encoding histograms = chunk::Encoding::kHistogram;
  chunk::Encoding float_histograms = chunk::Encoding::kFloatHistogram;

  // So that nothing is lost of what a chunk of this encoding holds.
  void Include(chunk::Encoding encoding);
};

// Appends chunks of at most kMostChunkSamples samples: another one begins where floats and
// histograms of either kind change, and where a histogram does not fit (HistogramRun).
// `is_float_histogram` tells of each histogram whether its counts are floats. Corruption when the
// times do not ascend over both lanes, or a histogram is not well formed.
Status EncodeSamples(const chunk::Columns& samples,
                     std::span<const std::uint8_t> is_float_histogram, const EncodingChoice& choice,
                     std::vector<EncodedChunk>* out);

}  // namespace aevum::compaction
