#include "storegateway/memory_index_cache.h"

#include <string>

#include <gtest/gtest.h>
#include <prometheus/registry.h>

namespace aevum::storegateway {
namespace {

const Context kContext = Context::Background();

SharedBytes Bytes(std::size_t size, char fill) { return SharedBytes::Own(std::string(size, fill)); }

std::string Page(MemoryIndexCache& cache, std::string_view block, std::uint64_t page) {
  const std::uint64_t pages[] = {page};
  return std::string(cache.FetchSeries(kContext, block, pages).front().view);
}

TEST(MemoryIndexCacheTest, KeepsItemsApart) {
  prometheus::Registry metrics;
  MemoryIndexCache cache({}, metrics);
  const tsdb::PostingsKey key{"a", "b", {}};
  const tsdb::PostingsKey other{"a", "c", {}};
  cache.StorePostings(kContext, "block1", key, Bytes(3, 'p'));
  cache.StoreSeries(kContext, "block1", 7, Bytes(4, 's'));
  const tsdb::PostingsKey keys[] = {key, other};
  const CachedItems found = cache.FetchPostings(kContext, "block1", keys);
  EXPECT_EQ(found[0].view, "ppp");
  EXPECT_TRUE(found[1].empty());
  EXPECT_TRUE(cache.FetchPostings(kContext, "block2", keys)[0].empty());
  EXPECT_EQ(Page(cache, "block1", 7), "ssss");
  EXPECT_EQ(Page(cache, "block1", 8), "");
}

TEST(MemoryIndexCacheTest, LetsGoOfWhatWasNotUsedForLongest) {
  prometheus::Registry metrics;
  // Each of the sixteen parts has room for some four items.
  MemoryIndexCache cache({.max_size_bytes = 16 * 5000}, metrics);
  for (std::uint64_t page = 0; page < 1000; ++page) {
    cache.StoreSeries(kContext, "block", page, Bytes(1000, 'x'));
    EXPECT_EQ(Page(cache, "block", 0).size(), 1000U) << "used all the time, at page " << page;
  }
  EXPECT_LE(cache.size_bytes(), 16U * 5000);
  EXPECT_GT(cache.size_bytes(), 16U * 2000);
  EXPECT_EQ(Page(cache, "block", 1), "");
}

TEST(MemoryIndexCacheTest, RefusesWhatIsTooLarge) {
  prometheus::Registry metrics;
  MemoryIndexCache cache({.max_size_bytes = 16 * 5000, .max_item_size_bytes = 2000}, metrics);
  cache.StoreSeries(kContext, "block", 1, Bytes(3000, 'x'));
  EXPECT_EQ(Page(cache, "block", 1), "");
  EXPECT_EQ(cache.size_bytes(), 0U);
}

}  // namespace
}  // namespace aevum::storegateway
