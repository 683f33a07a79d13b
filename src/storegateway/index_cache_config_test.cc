#include "storegateway/index_cache_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

namespace aevum::storegateway {
namespace {

using ::testing::HasSubstr;

class IndexCacheConfigTest : public ::testing::Test {
 protected:
  StatusOr<std::shared_ptr<IndexCache>> Open(const char* yaml) {
    return OpenIndexCache(yaml, Logger(), metrics_);
  }

  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
};

TEST_F(IndexCacheConfigTest, OpensEachType) {
  const auto memory = Open("{type: in-memory, config: {max_size: 1MB, max_item_size: 1KB}}");
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ((*memory)->series_unit(), IndexCache::SeriesUnit::kPages);
  for (const char* yaml : {"{type: MEMCACHED, config: {addresses: [\"127.0.0.1:1\"]}, ttl: 2h}",
                           "{type: Redis, config: {addr: \"127.0.0.1:1\"}}"}) {
    const auto remote = Open(yaml);
    ASSERT_TRUE(remote.ok()) << remote.status();
    EXPECT_EQ((*remote)->series_unit(), IndexCache::SeriesUnit::kEntries);
  }
  EXPECT_TRUE(Open("{}").ok()) << "in memory by default";
}

TEST_F(IndexCacheConfigTest, KeepsTheEnabledItemsAlone) {
  const auto opened = Open("{type: IN-MEMORY, enabled_items: [Postings]}");
  ASSERT_TRUE(opened.ok()) << opened.status();
  IndexCache& cache = **opened;
  const Context context = Context::Background();
  const tsdb::PostingsKey keys[] = {{"a", "b", {}}};
  const std::uint64_t numbers[] = {7};
  cache.StorePostings(context, "block", keys[0], SharedBytes::Own("postings"));
  cache.StoreSeries(context, "block", 7, SharedBytes::Own("series"));
  cache.StoreExpanded(context, "block", {}, "expanded");
  EXPECT_EQ(cache.FetchPostings(context, "block", keys).front().view, "postings");
  EXPECT_TRUE(cache.FetchSeries(context, "block", numbers).front().empty());
  EXPECT_TRUE(cache.FetchExpanded(context, "block", {}).empty());
}

TEST_F(IndexCacheConfigTest, RefusesWhatCannotBe) {
  const std::pair<const char*, const char*> refused[] = {{"{type: DISK}", "DISK"},
                                                         {"{type: IN-MEMORY, size: 1}", "size"},
                                                         {"{enabled_items: [Chunks]}", "Chunks"},
                                                         {"{type: MEMCACHED}", "addresses"},
                                                         {"{ttl: -1h}", "ttl"},
                                                         {"- a", "map"}};
  for (const auto& [yaml, what] : refused)
    EXPECT_THAT(Open(yaml).status().ToString(), HasSubstr(what)) << yaml;
}

}  // namespace
}  // namespace aevum::storegateway
