// A block in a directory, mapped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "tsdb/block_source.h"
#include "tsdb/index_tables.h"

namespace aevum::tsdb {

// Reads a block's `index` and `chunks/` in place. Immutable, hence thread-safe.
class LocalBlock final : public BlockSource {
 public:
  // NotFound when the directory has no index; Corruption when a table of the index or the header of
  // a segment is damaged. The message names the file.
  static StatusOr<std::unique_ptr<LocalBlock>> Open(const std::string& directory);

  const IndexTables& tables() const { return tables_; }

  StatusOr<Pieces> ReadPostings(const Context& context, std::span<const PostingsKey> keys) override;
  StatusOr<Pieces> ReadSeries(const Context& context, std::span<const SeriesRef> refs) override;
  StatusOr<Pieces> ReadChunks(const Context& context, std::uint32_t segment,
                              std::span<const std::uint32_t> offsets) override;

 private:
  LocalBlock() = default;

  SharedBytes index_;
  IndexTables tables_;
  std::vector<SharedBytes> segments_;
};

}  // namespace aevum::tsdb
