#include "storegateway/remote_index_cache.h"

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cache/caching_bucket.h"
#include "cache/memcached_cache.h"
#include "cache/redis_cache.h"
#include "cache/testing/map_cache.h"
#include "cache/testing/server_process.h"
#include "objstore/testing/faulty_bucket.h"
#include "storegateway/index_cache_keys.h"
#include "storegateway/postings_codec.h"
#include "storegateway/testing/bucket_store_fixture.h"

namespace aevum::storegateway {
namespace {

using model::Matcher;
using model::MatchType;
using ::testing::IsEmpty;
using ::testing::Not;

Matcher Regex(const char* name, const char* value) {
  return *Matcher::Create(MatchType::kRegex, name, value);
}
Matcher Unequal(const char* name, const char* value) {
  return *Matcher::Create(MatchType::kNotEqual, name, value);
}

class RemoteIndexCacheTest : public BucketStoreFixture {
 protected:
  void OpenRemote(std::shared_ptr<cache::Cache> cache, BucketStoreOptions options = {}) {
    remote_ =
        std::make_shared<RemoteIndexCache>(std::move(cache), std::chrono::hours(1), *metrics_);
    const auto counting = std::make_shared<objstore::FaultyBucket>(
        bucket_, [this](const objstore::BucketCall& call) -> std::optional<objstore::Fault> {
          if (call.name.ends_with("/index")) ++index_reads_;
          return std::nullopt;
        });
    OpenWith(options, counting, remote_);
  }
  // The answers to some selectors.
  std::vector<std::vector<std::string>> Answers() {
    const model::Matchers selectors[] = {
        {},
        {Matcher::Equal("__name__", "up")},
        {Matcher::Equal("__name__", "requests_total"), Regex("instance", "b.*")},
        {Matcher::Equal("job", "api"), Unequal("code", "500")},
        {Unequal("job", "api")},
        {Matcher::Equal("job", "none")},
        {Regex("job", "api|db"), Regex("instance", ".+")}};
    std::vector<std::vector<std::string>> answers;
    for (const model::Matchers& matchers : selectors) answers.push_back(ReadOk(Request(matchers)));
    return answers;
  }

  std::shared_ptr<RemoteIndexCache> remote_;
  std::atomic<int> index_reads_ = 0;
};

TEST_F(RemoteIndexCacheTest, AnswersAreThoseWithoutIt) {
  const auto expected = Answers();
  const auto shared = std::make_shared<cache::MapCache>();
  for (int gateway = 0; gateway < 2; ++gateway) {
    OpenRemote(shared);
    EXPECT_EQ(Answers(), expected);
    index_reads_ = 0;
    EXPECT_EQ(Answers(), expected);
    EXPECT_EQ(index_reads_, 0) << "everything is in the cache";
  }
}

TEST_F(RemoteIndexCacheTest, KeysAndValuesAreThoseOfThanos) {
  const auto shared = std::make_shared<cache::MapCache>();
  OpenRemote(shared);
  const model::Matchers matchers = {Matcher::Equal("job", "api"), Unequal("code", "500")};
  ASSERT_THAT(ReadOk(Request(matchers)), Not(IsEmpty()));
  const std::map<std::string, std::string> items = shared->items();
  EXPECT_TRUE(items.at(PostingsCacheKey(kFirst, "job", "api")).starts_with("dss\xff\x06"));
  EXPECT_TRUE(items.at(ExpandedPostingsCacheKey(kFirst, matchers)).starts_with("dss\xff\x06"));
  // A series stands at a multiple of 16, without its length and checksum.
  const std::string index = *bucket_->Get(context_, std::string(kFirst) + "/index");
  int series = 0;
  for (const auto& [key, value] : items) {
    const std::string prefix = "S:" + std::string(kFirst) + ":";
    if (!key.starts_with(prefix)) continue;
    ++series;
    const std::size_t offset = std::stoul(key.substr(prefix.size()));
    EXPECT_EQ(offset % 16, 0U);
    ASSERT_LT(value.size(), 128U);
    EXPECT_EQ(static_cast<std::size_t>(index[offset]), value.size());
    EXPECT_EQ(index.substr(offset + 1, value.size()), value);
  }
  EXPECT_GT(series, 0);
}

TEST_F(RemoteIndexCacheTest, WhatCannotBeRightIsReadFromTheBucket) {
  const auto expected = Answers();
  const auto shared = std::make_shared<cache::MapCache>();
  OpenRemote(shared);
  EXPECT_EQ(Answers(), expected);
  const std::map<std::string, std::string> good = shared->items();
  for (const auto& [key, value] : good) {
    std::string flipped = value;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x55);
    // Series carry no checksum in the cache, so a flipped byte can look right.
    const bool checked = !key.starts_with("S:");
    for (const std::string& bad :
         {std::string("garbage"), value.substr(0, value.size() / 2), value + "x",
          std::string(1'000, '\xff'), checked ? flipped : std::string("\x01", 1)}) {
      shared->Set(key, bad);
      ASSERT_EQ(Answers(), expected) << key << ": " << bad;
    }
    shared->Set(key, value);
  }
  // Postings of another block, which are well formed: the series that they lead to are none.
  for (const auto& [key, value] : good) {
    if (!key.starts_with("EP:")) continue;
    shared->Set(key, EncodePostings(tsdb::Postings{1, 5, 7'777}));
  }
  for (const auto& [key, value] : good) {
    if (key.starts_with("S:")) shared->Set(key, "");
  }
  EXPECT_EQ(Answers(), expected);
}

TEST_F(RemoteIndexCacheTest, LazyPostingsChangeNoAnswer) {
  const auto expected = Answers();
  // A series that costs a byte spares nothing: all groups but one are lazy.
  const BucketStoreOptions lazy{.most_series_bytes = 1, .lazy_postings = {.enabled = true}};
  OpenRemote(std::make_shared<cache::MapCache>(), lazy);
  EXPECT_EQ(Answers(), expected);
  EXPECT_EQ(Answers(), expected);
  OpenWith(lazy, bucket_, std::make_shared<MemoryIndexCache>(cache::LruLimits{}, *metrics_));
  EXPECT_EQ(Answers(), expected);
  double groups = 0;
  for (const prometheus::MetricFamily& family : metrics_->Collect()) {
    if (family.name != "thanos_bucket_store_lazy_expanded_posting_groups_total") continue;
    for (const prometheus::ClientMetric& metric : family.metric) groups += metric.counter.value;
  }
  EXPECT_GT(groups, 0);
}

// Chunks of the cache whose bytes are wrong are read from the bucket behind it.
TEST_F(RemoteIndexCacheTest, DamagedChunksOfACacheDoNoHarm) {
  const auto expected = Answers();
  const auto shared = std::make_shared<cache::MapCache>();
  const auto caching = std::make_shared<cache::CachingBucket>(
      bucket_, shared, cache::CachingBucketOptions{.chunk_subrange_size = 50}, Logger(), *metrics_);
  const auto open = [&](std::uint64_t chunk_bytes) {
    OpenWith({.most_chunk_bytes = chunk_bytes, .origin = caching->origin()}, caching,
             std::make_shared<MemoryIndexCache>(cache::LruLimits{}, *metrics_));
  };
  open(16'000);
  EXPECT_EQ(Answers(), expected);
  const std::map<std::string, std::string> good = shared->items();
  EXPECT_GT(good.size(), 4U);
  for (const std::uint64_t chunk_bytes : {10, 16'000}) {
    open(chunk_bytes);
    for (const auto& [key, value] : good) {
      std::string damaged = value;
      for (char& c : damaged) c = static_cast<char>(c ^ 0x2a);
      shared->Set(key, key.starts_with("attrs") ? R"({"size":60})" : damaged);
      EXPECT_EQ(Answers(), expected) << key;
      shared->Set(key, value);
    }
  }
}

TEST_F(RemoteIndexCacheTest, RealServersGiveTheSameAnswers) {
  if (!cache::ServerProcess::AreInstalled()) GTEST_SKIP() << cache::ServerProcess::kSkip;
  const auto expected = Answers();
  const auto memcached = cache::ServerProcess::Memcached();
  const auto redis = cache::ServerProcess::Redis();
  ASSERT_TRUE(memcached.ok() && redis.ok()) << memcached.status() << redis.status();
  cache::MemcachedOptions memcached_options;
  memcached_options.addresses = {(*memcached)->address()};
  memcached_options.timeout = std::chrono::seconds(5);
  cache::RedisOptions redis_options;
  redis_options.addr = (*redis)->address();
  auto opened = cache::RedisCache::Open("index-cache", redis_options, Logger(), *metrics_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const std::shared_ptr<cache::Cache> caches[] = {
      std::make_shared<cache::MemcachedCache>("index-cache", memcached_options, Logger(), metrics_),
      std::shared_ptr<cache::Cache>(*std::move(opened))};
  for (const auto& cache : caches) {
    OpenRemote(cache);
    // What is stored is there a little later; then nothing more is read.
    bool all_cached = false;
    for (int i = 0; i < 1'000 && !all_cached; ++i) {
      index_reads_ = 0;
      ASSERT_EQ(Answers(), expected);
      all_cached = index_reads_ == 0;
    }
    EXPECT_TRUE(all_cached);
  }
  (*memcached)->Kill();
  (*redis)->Kill();
  for (const auto& cache : caches) {
    OpenRemote(cache);
    EXPECT_EQ(Answers(), expected);
  }
}

}  // namespace
}  // namespace aevum::storegateway
