// The bytes of a block in a bucket, for one request.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "objstore/bucket.h"
#include "storegateway/index_cache.h"
#include "storegateway/range_merger.h"
#include "storegateway/request_reads.h"
#include "tsdb/block_source.h"
#include "tsdb/index_tables.h"
#include "tsdb/series_entry.h"

namespace aevum::storegateway {

struct BucketSourceOptions {
  // The series of an index are read and cached in pages, which begin at multiples of it.
  std::uint64_t page_bytes = 32 << 10;
  // What a chunk may take: read at once; a longer one is read again.
  std::uint64_t chunk_bytes = 16'000;
  // Bounds the chunks of all requests that are in memory; may be null.
  std::shared_ptr<MemoryBudget> chunk_pool;
  // Where chunks whose checksum is wrong are read again: what is behind a cache, which others may
  // write to. Null when the bucket is not cached.
  std::shared_ptr<objstore::Bucket> origin = nullptr;
};

// Postings and series come through the cache, in the unit that it keeps them in; chunks from the
// bucket. What a cache gives and can't be right is read from the bucket. Reads are merged by gap
// and go side by side. All is charged to the request before it is read. Borrows what it is given.
// Thread-compatible.
class BucketSource final : public tsdb::BlockSource {
 public:
  // `block` is the ULID, the directory of the block in the bucket.
  BucketSource(objstore::Bucket& bucket, std::string block, const tsdb::IndexTables& tables,
               IndexCache& cache, RequestReads& reads, BucketSourceOptions options);

  StatusOr<tsdb::Pieces> ReadPostings(const Context& context,
                                      std::span<const tsdb::PostingsKey> keys) override;
  StatusOr<tsdb::Pieces> ReadSeries(const Context& context,
                                    std::span<const tsdb::SeriesRef> refs) override;
  StatusOr<tsdb::Pieces> ReadChunks(const Context& context, std::uint32_t segment,
                                    std::span<const std::uint32_t> offsets) override;

 private:
  using Pages = std::map<std::uint64_t, SharedBytes>;

  Status Read(const Context& context, objstore::Bucket& bucket, DataType type,
              const std::string& name, MergedExtents& extents);
  Status FetchPages(const Context& context, std::span<const std::uint64_t> wanted, Pages* pages);
  StatusOr<tsdb::Pieces> ReadPages(const Context& context, std::span<const tsdb::SeriesRef> refs);
  StatusOr<tsdb::Pieces> ReadEntries(const Context& context, std::span<const tsdb::SeriesRef> refs);
  // The entry around a body that a cache gave; empty when it can't be one of this block.
  SharedBytes EntryOf(const SharedBytes& body, tsdb::SeriesEntry* scratch) const;
  StatusOr<bool> Assemble(const Pages& pages, std::uint64_t page, std::string* whole,
                          std::vector<std::uint64_t>* missing) const;
  StatusOr<bool> AddSeries(const Pages& pages, std::uint64_t offset, tsdb::Pieces* out,
                           std::vector<std::uint64_t>* missing,
                           Pages::const_iterator* last_page) const;
  Status ReadLongChunks(const Context& context, const std::string& name,
                        std::span<const std::uint32_t> offsets, tsdb::Pieces* pieces);
  Status ReadDamagedChunks(const Context& context, const std::string& name,
                           std::span<const std::uint32_t> offsets, tsdb::Pieces* pieces);
  // The chunks at some places of a list, in full.
  Status ReadAgain(const Context& context, objstore::Bucket& bucket, const std::string& name,
                   std::span<const std::size_t> places, std::span<const Extent> extents,
                   tsdb::Pieces* pieces);
  Status Own(MergedExtents& extents, tsdb::Pieces* pieces);

  objstore::Bucket& bucket_;
  const std::string block_;
  const tsdb::IndexTables& tables_;
  IndexCache& cache_;
  RequestReads& reads_;
  const BucketSourceOptions options_;
};

}  // namespace aevum::storegateway
