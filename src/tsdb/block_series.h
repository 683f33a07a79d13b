// The series of a block that match, with their chunks, as a store answers with them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/labels.h"
#include "tsdb/block_source.h"
#include "tsdb/chunk_segment.h"
#include "tsdb/index_tables.h"
#include "tsdb/series_entry.h"
#include "wire/series_batch.h"

namespace aevum::tsdb {

struct BlockSeriesOptions {
  TimeRange range = {INT64_MIN, INT64_MAX};
  bool skip_chunks = false;
  // Which parts of aggregate chunks to give; parts that a chunk does not have are left out. Raw
  // chunks are given whatever this says.
  std::vector<chunk::Aggregate> aggregates;
  // Added to each series, in place of its own labels of these names.
  model::Labels external_labels;
  // What series a request wants beyond its matchers (a shard); null: all. Sees the final labels.
  std::function<bool(const model::Labels&)> wanted;
  // Told the bytes of the entry of each series that was not wanted; may be null.
  std::function<void(std::size_t entry_bytes)> on_unwanted;
  std::size_t batch_series = 1000;
};

// Reads the given series in order and gives those that have a chunk in the range, sorted by their
// final labels, each with its chunks, which are views into what the source read. Memory: one batch.
// Where a series has an own label with an external name, the order may be broken and labels may
// repeat: `MayBreakOrder` tells, and the caller sorts.
// Thread-compatible; borrows the tables and the source, which must outlive it.
class BlockSeries {
 public:
  BlockSeries(const Context& context, const IndexTables& tables, BlockSource& source,
              Postings series, BlockSeriesOptions options);

  // True when a series of the block may have an own label with an external name.
  static bool MayBreakOrder(const IndexTables& tables, const model::Labels& external_labels);

  // Replaces `batch` by the next series; false at the end. An error names the series and the
  // offset; it ends the stream.
  StatusOr<bool> Next(wire::SeriesBatch* batch);

 private:
  struct Found {
    model::Labels labels;
    std::size_t first_chunk = 0;  // of `metas_`
    std::size_t chunk_count = 0;
  };

  std::span<const ChunkMeta> ChunksOf(const Found& found) const {
    return std::span(metas_).subspan(found.first_chunk, found.chunk_count);
  }
  void KeepHeldChunks();

  Status ReadEntries();
  Status AddEntry(std::string_view bytes);
  StatusOr<model::Labels> MakeLabels();
  void Place(Found found);
  Status ReadChunks(wire::SeriesBatch* batch);
  Status ReadSegment(std::span<const std::uint64_t> refs, wire::SeriesBatch* batch,
                     std::vector<StoredChunk>* chunks);

  const Context context_;
  const IndexTables& tables_;
  BlockSource& source_;
  const Postings series_;
  const BlockSeriesOptions options_;
  SymbolCache symbols_;
  std::size_t next_ = 0;  // of `series_`

  SeriesEntry entry_;                 // scratch
  std::vector<model::Label> labels_;  // scratch
  // Series whose place is not known yet, the first at the back: external labels sort a series
  // behind those that have all of its labels and one more that comes before the external ones.
  std::vector<Found> held_;
  std::vector<Found> ready_;
  std::vector<ChunkMeta> metas_;  // of the chunks of both
};

}  // namespace aevum::tsdb
