// Parts of indexes that were read from a bucket and may be needed again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "tsdb/block_source.h"

namespace aevum::storegateway {

// What is asked for by item, and what came of it: an empty view for what is not there.
using CachedItems = std::vector<SharedBytes>;

// Postings of labels, and pages of the part of an index that holds the series. Nothing is promised:
// what was stored may be gone, and a cache that fails answers with nothing. Thread-safe.
class IndexCache {
 public:
  virtual ~IndexCache() = default;

  // Sections of postings as they stand in the index of `block`, its ULID.
  virtual CachedItems FetchPostings(const Context& context, std::string_view block,
                                    std::span<const tsdb::PostingsKey> keys) = 0;
  virtual void StorePostings(std::string_view block, const tsdb::PostingsKey& key,
                             const SharedBytes& section) = 0;
  // Pages by number; they are as large as the reader cuts them, which must not change while the
  // cache lives.
  virtual CachedItems FetchPages(const Context& context, std::string_view block,
                                 std::span<const std::uint64_t> pages) = 0;
  virtual void StorePage(std::string_view block, std::uint64_t page, const SharedBytes& bytes) = 0;
};

}  // namespace aevum::storegateway
