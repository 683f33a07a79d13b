// A block made coarser: one sample a window, of each count, sum, min, max and counter.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/context.h"
#include "base/status.h"
#include "block/meta.h"
#include "compaction/block_reader.h"

namespace aevum::compaction {

inline constexpr std::int64_t kResolutionRaw = 0;
inline constexpr std::int64_t kResolution5m = 300'000;
inline constexpr std::int64_t kResolution1h = 3'600'000;
// How long a block must be to be made coarser (contract, "Downsampling").
inline constexpr TimestampMs kDownsampleTo5mRange = 40LL * 3'600'000;
inline constexpr TimestampMs kDownsampleTo1hRange = 10LL * 24 * 3'600'000;

struct DownsampleOptions {
  // Told now and then how many bytes of chunks were read in all. May be null.
  std::function<void(std::uint64_t chunk_bytes)> progress;
  const Clock* clock = &Clock::System();
};

struct DownsampledBlock {
  // Complete but for what an upload fills in; written into the directory as meta.json too.
  block::Meta meta;
  std::string directory;
};

// Streams a block into a new one below `directory`, named by its ULID: raw to 5 m, 5 m to 1 h. The
// chunks are those of Thanos to the byte, but for its faults (docs/format/chunk.md); those of a
// series may lie in any order or twice, but not overlap. DataLoss when they do or the block is
// damaged; nothing is left in `directory` after an error. InvalidArgument for another
// step of resolutions. Memory: one series.
StatusOr<DownsampledBlock> DownsampleBlock(const Context& context, const block::Meta& meta,
                                           const BlockPlace& place, std::int64_t resolution_ms,
                                           const DownsampleOptions& options,
                                           const std::string& directory);

}  // namespace aevum::compaction
