#include "cache/caching_bucket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/mutex.h"
#include "cache/testing/map_cache.h"
#include "objstore/testing/faulty_bucket.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::cache {
namespace {

using objstore::ByteRange;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class CachingBucketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 95; ++i) chunks_ += static_cast<char>('0' + i % 10);
    Put("01A/chunks/000001", chunks_);
    Put("01A/meta.json", R"({"version":1})");
    Put("01A/index", "index");
    Put("01B/meta.json", "{}");
    bucket_ = std::make_unique<CachingBucket>(
        std::make_shared<objstore::FaultyBucket>(
            memory_,
            [this](const objstore::BucketCall& call) -> std::optional<objstore::Fault> {
              MutexLock lock(mutex_);
              calls_.push_back(call.name);
              return std::nullopt;
            }),
        cache_,
        CachingBucketOptions{.chunk_subrange_size = 10,
                             .max_chunks_get_range_requests = 2,
                             .metafile_max_size = 100,
                             .config_hash = "77"},
        Logger(), metrics_);
  }
  void Put(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(memory_->Upload(context_, name, objstore::BytesSource(bytes), {}).ok());
  }
  std::string Range(std::int64_t offset, std::int64_t length) {
    const auto bytes = bucket_->GetRange(context_, "01A/chunks/000001", ByteRange{offset, length});
    return bytes.ok() ? *bytes : bytes.status().ToString();
  }
  std::vector<std::string> List(objstore::IterateOptions options = {}) {
    std::vector<std::string> names;
    EXPECT_TRUE(bucket_
                    ->Iterate(context_, "", options,
                              [&](const objstore::ListedObject& object) {
                                names.push_back(object.name);
                                return OkStatus();
                              })
                    .ok());
    return names;
  }
  // The names of the objects that the bucket was asked for since the last time.
  std::vector<std::string> Calls() {
    MutexLock lock(mutex_);
    return std::exchange(calls_, {});
  }

  const Context context_ = Context::Background();
  std::string chunks_;
  std::shared_ptr<objstore::MemoryBucket> memory_ = std::make_shared<objstore::MemoryBucket>();
  std::shared_ptr<MapCache> cache_ = std::make_shared<MapCache>();
  prometheus::Registry metrics_;
  Mutex mutex_;
  std::vector<std::string> calls_ AEVUM_GUARDED_BY(mutex_);
  std::unique_ptr<CachingBucket> bucket_;
};

TEST_F(CachingBucketTest, AnyRangeIsWhatTheBucketHas) {
  for (int round = 0; round < 2; ++round) {
    for (int offset = 0; offset < 95; offset += 3) {
      for (int length = 1; length < 120; length += 7)
        ASSERT_EQ(Range(offset, length), chunks_.substr(offset, length)) << offset << " " << length;
    }
  }
  EXPECT_THAT(Calls(), testing::SizeIs(testing::Lt(12))) << "the attributes and each part once";
  EXPECT_THAT(Range(95, 1), HasSubstr("OutOfRange"));
  EXPECT_THAT(Range(1000, 1), HasSubstr("OutOfRange"));
}

TEST_F(CachingBucketTest, KeysAndValuesAreThoseOfThanos) {
  EXPECT_EQ(Range(85, 100), chunks_.substr(85));
  const auto items = cache_->items();
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items.at("subrange:01A/chunks/000001:80:90"), chunks_.substr(80, 10));
  EXPECT_EQ(items.at("subrange:01A/chunks/000001:90:95"), chunks_.substr(90));
  EXPECT_THAT(items.at("attrs:01A/chunks/000001"), HasSubstr(R"("size":95)"));
  EXPECT_THAT(items.at("attrs:01A/chunks/000001"), HasSubstr(R"("last_modified":")"));
  List();
  EXPECT_EQ(cache_->items().at("iter::77"), R"(["01A/","01B/"])");
  ASSERT_TRUE(bucket_->Get(context_, "01A/meta.json").ok());
  EXPECT_EQ(cache_->items().at("content:01A/meta.json"), R"({"version":1})");
  EXPECT_EQ(cache_->items().at("exists:01A/meta.json"), "true");
}

TEST_F(CachingBucketTest, FewRequestsFillTheGaps) {
  for (const int at : {0, 20, 40, 60, 80}) Range(at, 1);
  Calls();
  EXPECT_EQ(Range(0, 95), chunks_);
  EXPECT_THAT(Calls(), testing::SizeIs(1)) << "five gaps, which are as near to one another";
  EXPECT_THAT(prometheus::TextSerializer().Serialize(metrics_.Collect()),
              HasSubstr("thanos_store_bucket_cache_getrange_refetched_bytes_total"));
}

TEST(MergeRangesTest, MergesWhatIsNear) {
  EXPECT_THAT(MergeRanges({{0, 10}, {10, 20}, {30, 40}}, 0),
              ElementsAre(Range{0, 20}, Range{30, 40}));
  EXPECT_THAT(MergeRanges({{0, 10}, {20, 30}, {41, 50}}, 10),
              ElementsAre(Range{0, 30}, Range{41, 50}));
  EXPECT_THAT(MergeRanges({}, 5), IsEmpty());
}

TEST_F(CachingBucketTest, WhatCannotBeRightIsReadAnew) {
  cache_->Set("subrange:01A/chunks/000001:0:10", "short");
  cache_->Set("subrange:01A/chunks/000001:10:20", "far too long for it");
  EXPECT_EQ(Range(0, 25), chunks_.substr(0, 25));
  for (const char* attributes :
       {"{", "[]", R"({"size":-1})", R"({"size":"95"})", R"({"size":1e99})"}) {
    cache_->Set("attrs:01A/chunks/000001", attributes);
    EXPECT_EQ(Range(0, 95), chunks_) << attributes;
  }
  cache_->Set("iter::77", R"(["01A/",5])");
  EXPECT_THAT(List(), ElementsAre("01A/", "01B/"));
  cache_->Set("content:01A/meta.json", R"({"version":)");
  EXPECT_EQ(*bucket_->Get(context_, "01A/meta.json"), R"({"version":1})");
  cache_->Set("exists:01A/meta.json", "perhaps");
  EXPECT_TRUE(*bucket_->Exists(context_, "01A/meta.json"));
}

// A size that is too large shows; one that is too small cuts reads, which readers of chunks notice
// by the checksums.
TEST_F(CachingBucketTest, AWrongSizeGivesNoWrongBytes) {
  cache_->Set("attrs:01A/chunks/000001", R"({"size":200})");
  EXPECT_EQ(Range(90, 20), chunks_.substr(90));
  cache_->Set("attrs:01A/chunks/000001", R"({"size":50})");
  EXPECT_EQ(Range(40, 20), chunks_.substr(40, 10));
  EXPECT_EQ(Range(50, 20), chunks_.substr(50, 20));
  // What is missing begins behind the end of the object.
  cache_->Set("attrs:01A/chunks/000001", R"({"size":200})");
  cache_->Set("subrange:01A/chunks/000001:90:100", "0123456789");
  EXPECT_EQ(Range(92, 30), chunks_.substr(92));
}

TEST_F(CachingBucketTest, KnowsWhatDoesNotExist) {
  const auto missing = bucket_->Get(context_, "01A/deletion-mark.json");
  EXPECT_TRUE(objstore::IsNotFound(missing.status()));
  EXPECT_EQ(cache_->items().at("exists:01A/deletion-mark.json"), "false");
  Calls();
  EXPECT_TRUE(objstore::IsNotFound(bucket_->Get(context_, "01A/deletion-mark.json").status()));
  EXPECT_FALSE(*bucket_->Exists(context_, "01A/deletion-mark.json"));
  EXPECT_THAT(Calls(), IsEmpty());
}

TEST_F(CachingBucketTest, LargeObjectsAndOthersAreNotKept) {
  Put("01C/meta.json", "\"" + std::string(100, 'x') + "\"");
  EXPECT_EQ(bucket_->Get(context_, "01C/meta.json")->size(), 102U);
  EXPECT_FALSE(cache_->items().contains("content:01C/meta.json"));
  EXPECT_EQ(*bucket_->Get(context_, "01A/index"), "index");
  EXPECT_EQ(*bucket_->GetRange(context_, "01A/index", {1, 2}), "nd");
  EXPECT_EQ(bucket_->Get(context_, "01A/chunks/000001")->size(), 95U);
  Calls();
  EXPECT_EQ(*bucket_->Get(context_, "01A/index"), "index");
  EXPECT_THAT(Calls(), ElementsAre("01A/index"));
}

TEST_F(CachingBucketTest, ListingsWithAttributesAreAskedOfTheBucket) {
  List();
  Calls();
  EXPECT_THAT(List(), ElementsAre("01A/", "01B/"));
  EXPECT_THAT(Calls(), IsEmpty());
  List({.attributes = objstore::IterateOptions::Attributes::kWanted});
  EXPECT_THAT(Calls(), testing::SizeIs(1));
  EXPECT_EQ(List({.depth = objstore::IterateOptions::Depth::kRecursive}).size(), 4U);
  EXPECT_TRUE(cache_->items().contains("iter-recursive::77"));
}

}  // namespace
}  // namespace aevum::cache
