// The two tables of an index that every query needs: symbols, and where postings stand.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"
#include "tsdb/index_toc.h"
#include "tsdb/posting_offsets.h"
#include "tsdb/postings.h"
#include "tsdb/symbols.h"

namespace aevum::tsdb {

// Out of a whole index, or out of the index-header that a store gateway keeps of it. Holds the
// bytes, which it reads in place. Immutable, hence thread-safe.
class IndexTables {
 public:
  // `index` is the whole file. Corruption when a table is damaged; series and postings are not
  // looked at.
  static StatusOr<IndexTables> OpenIndex(SharedBytes index);
  // From the sections themselves, which begin at `symbols_offset` and `postings_table_offset` in
  // the index that they were taken from.
  static StatusOr<IndexTables> OpenSections(IndexVersion version, SharedBytes symbols,
                                            std::uint64_t symbols_offset,
                                            SharedBytes postings_table,
                                            std::uint64_t postings_table_offset);

  IndexVersion version() const { return version_; }
  const SymbolTable& symbols() const { return symbols_; }
  const PostingOffsets& postings() const { return postings_; }
  // Where the entry of a series begins in the index.
  std::uint64_t SeriesOffset(SeriesRef ref) const {
    return version_ == IndexVersion::kV2 ? std::uint64_t{ref} * kSeriesAlignment : ref;
  }
  // Heap only, without the mapped bytes.
  std::size_t memory_bytes() const { return symbols_.memory_bytes() + postings_.memory_bytes(); }

 private:
  static constexpr std::uint64_t kSeriesAlignment = 16;

  IndexVersion version_ = IndexVersion::kV2;
  SymbolTable symbols_;
  PostingOffsets postings_;
};

}  // namespace aevum::tsdb
