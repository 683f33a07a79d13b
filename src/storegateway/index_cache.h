// Parts of indexes that were read from a bucket and may be needed again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/context.h"
#include "model/matcher.h"
#include "tsdb/block_source.h"
#include "tsdb/postings.h"

namespace aevum::storegateway {

// What is asked for by item, and what came of it: an empty view for what is not there.
using CachedItems = std::vector<SharedBytes>;

// The kinds of items, as Thanos names them.
enum class IndexItem : std::uint8_t { kPostings, kExpandedPostings, kSeries };
inline constexpr std::size_t kIndexItems = 3;
inline constexpr const char* kIndexItemNames[kIndexItems] = {"Postings", "ExpandedPostings",
                                                             "Series"};

// Postings of labels and of whole selectors, and the part of an index that holds the series.
// Nothing is promised: what was stored may be gone, and a cache that fails answers with nothing.
// What it gives may come from other processes: who asks checks it, and reads the bucket where it is
// wrong. The context says for whom, for metrics. Thread-safe.
class IndexCache {
 public:
  // How series are kept.
  enum class SeriesUnit : std::uint8_t {
    kPages,    // pieces of the index, however large the reader cuts them
    kEntries,  // single series, as Thanos does it in caches that are shared
  };

  virtual ~IndexCache() = default;

  // Sections of postings as they stand in the index of `block`, its ULID.
  virtual CachedItems FetchPostings(const Context& context, std::string_view block,
                                    std::span<const tsdb::PostingsKey> keys) = 0;
  virtual void StorePostings(const Context& context, std::string_view block,
                             const tsdb::PostingsKey& key, const SharedBytes& section) = 0;

  // The series of a block that match, in the form of storegateway/postings_codec.h.
  virtual SharedBytes FetchExpanded(const Context& context, std::string_view block,
                                    const model::Matchers& matchers) = 0;
  virtual void StoreExpanded(const Context& context, std::string_view block,
                             const model::Matchers& matchers, std::string encoded) = 0;

  virtual SeriesUnit series_unit() const = 0;
  // Series by number: of a page, whose size must not change while the cache lives, or the offset of
  // an entry, whose item is what stands between its length and its checksum.
  virtual CachedItems FetchSeries(const Context& context, std::string_view block,
                                  std::span<const std::uint64_t> numbers) = 0;
  virtual void StoreSeries(const Context& context, std::string_view block, std::uint64_t number,
                           const SharedBytes& bytes) = 0;
};

}  // namespace aevum::storegateway
