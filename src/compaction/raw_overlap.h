// Raw chunks of one series that overlap, made into chunks that do not.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "chunk/chunk.h"
#include "compaction/merge.h"
#include "compaction/sample_encoder.h"
#include "compaction/series_chunk.h"
#include "store/dedup/adaptive.h"

namespace aevum::compaction {

struct OverlapOptions {
  MergeFunction function = MergeFunction::kOneToOne;
  store::dedup::SeriesType type = store::dedup::SeriesType::kUnknown;
  // Where the blocks of the chunks begin; kMinTime: not known.
  TimestampMs range_start = kMinTime;
};

// Keeps what it has allocated from one series to the next. Thread-compatible.
class RawOverlapMerger {
 public:
  // Appends the merged chunks. The chunks are sorted by min time. Those of one replica are joined
  // by store::dedup::Union before replicas are merged. Corruption when one is not well formed.
  Status Merge(std::span<const SeriesChunk> chunks, const OverlapOptions& options,
               std::vector<EncodedChunk>* out);

 private:
  Status DecodeAll(std::span<const SeriesChunk> chunks);
  void MergePenalty(std::span<const SeriesChunk> chunks);
  Status MergeAdaptive(std::span<const SeriesChunk> chunks, const OverlapOptions& options);
  void NoteHistograms(const SeriesChunk& chunk, const chunk::Columns& columns);
  std::span<const std::uint8_t> KindsOfHistograms();

  std::vector<chunk::Columns> decoded_;  // one a chunk, and more from earlier series
  chunk::Columns merged_;
  // Times of the histograms of either kind, when there are both; in no order.
  std::vector<TimestampMs> integer_times_;
  std::vector<TimestampMs> float_times_;
  std::vector<std::uint8_t> kinds_;
};

}  // namespace aevum::compaction
