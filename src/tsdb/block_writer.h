// Writes the index and the segments of a block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/output_file.h"
#include "base/status.h"
#include "tsdb/chunk_segment.h"
#include "tsdb/index_writer.h"
#include "tsdb/segment_writer.h"
#include "tsdb/series_entry.h"

namespace aevum::tsdb {

// A chunk to be written; borrows its bytes.
struct WrittenChunk {
  TimestampMs min_time = 0;  // of the first sample
  TimestampMs max_time = 0;  // of the last sample, inclusive
  StoredChunk stored;
};

// What was written, as meta.json states it.
struct BlockStats {
  std::uint64_t series = 0;
  std::uint64_t chunks = 0;
  // As the headers of chunks say; of aggregate chunks, which have none, nothing is counted.
  std::uint64_t float_samples = 0;
  std::uint64_t histogram_samples = 0;
  TimestampMs min_time = INT64_MAX;  // of all samples
  TimestampMs max_time = INT64_MIN;  // inclusive
  // The largest series entry and the largest chunk, with what stands around them.
  std::uint64_t series_max_bytes = 0;
  std::uint64_t chunk_max_bytes = 0;
};

struct BlockWriterOptions {
  std::uint64_t segment_bytes = kSegmentBytes;
  IndexWriterOptions index;
};

// One block in a directory, which belongs to the caller, as does its meta.json: with that in place
// the block is one to readers, so it comes last. Symbols and series stream through, in order; see
// IndexWriter for what is refused and for the memory. Thread-compatible.
class BlockWriter {
 public:
  static StatusOr<BlockWriter> Create(const std::string& directory,
                                      BlockWriterOptions options = {});

  // As IndexWriter::AddSymbol.
  Status AddSymbol(std::string_view symbol) { return index_.AddSymbol(symbol); }
  // Writes the chunks of a series and its entry. Chunks ascend by time, without overlap; their
  // bytes are not looked at beyond the number of samples.
  Status AddSeries(std::span<const SeriesEntry::Label> labels,
                   std::span<const WrittenChunk> chunks);
  // Puts all files in place.
  StatusOr<BlockStats> Finish(const Context& context);

 private:
  BlockWriter(IndexWriter index, const std::string& directory, const BlockWriterOptions& options)
      : index_(std::move(index)),
        segments_(directory, options.segment_bytes, options.index.durability) {}

  void Count(const WrittenChunk& chunk);

  IndexWriter index_;
  SegmentWriter segments_;
  BlockStats stats_;
  std::vector<StoredChunk> stored_;  // scratch
  std::vector<std::uint64_t> refs_;  // scratch
  std::vector<ChunkMeta> metas_;     // scratch
};

// The numbers of symbols, for who has labels as text and all of them in memory. Immutable.
class SymbolNumbers {
 public:
  // Sorts; of equal strings one is kept.
  explicit SymbolNumbers(std::vector<std::string> symbols);
  SymbolNumbers(const SymbolNumbers&) = delete;

  // In the order of their numbers.
  const std::vector<std::string>& symbols() const { return symbols_; }
  // NotFound for one that is not there.
  StatusOr<std::uint32_t> Find(std::string_view symbol) const;

 private:
  std::vector<std::string> symbols_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

}  // namespace aevum::tsdb
