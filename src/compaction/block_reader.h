// The symbols and the series of a block, read once from front to back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/status.h"
#include "model/ulid.h"
#include "tsdb/block_writer.h"
#include "tsdb/series_entry.h"

namespace aevum::objstore {
class Bucket;
}  // namespace aevum::objstore

namespace aevum::compaction {

// Where the files of a block lie: a block of a bucket, or a directory when `bucket` is null.
struct BlockPlace {
  objstore::Bucket* bucket = nullptr;
  model::Ulid block;
  std::string directory;
};

// A series with its chunks. Borrows from the reader until its next call.
struct StoredSeries {
  // By numbers of the block's own symbols.
  std::vector<tsdb::SeriesEntry::Label> labels;
  // As the index lists them; with their bytes, whose checksums are right.
  std::vector<tsdb::WrittenChunk> chunks;
  // Of the entry in the index, as tombstones name series.
  std::uint64_t reference = 0;
};

struct BlockReaderOptions {
  // What is read at a time, of each file that is open.
  std::size_t window_bytes = 4 << 20;
};

// Reads a block in the order of its files, by ranges: no file is held or downloaded as a whole.
// Every checksum is checked. Memory: a window of the index and one of a segment. Chunks that lie
// out of order are read all the same, more slowly. Thread-compatible.
class BlockReader {
 public:
  static StatusOr<std::unique_ptr<BlockReader>> Open(const Context& context, BlockPlace place,
                                                     BlockReaderOptions options = {});
  virtual ~BlockReader() = default;

  // Sets the next symbol, in ascending order; false after the last. All come before the first
  // series. The view is valid until the next call.
  virtual StatusOr<bool> NextSymbol(std::string_view* symbol) = 0;
  // Replaces `series` by the next one; false at the end. An error names file and offset.
  virtual StatusOr<bool> NextSeries(StoredSeries* series) = 0;
};

}  // namespace aevum::compaction
