#include "storegateway/bucket_store.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "storegateway/testing/bucket_store_fixture.h"
#include "wire/store_hints.h"

namespace aevum::storegateway {
namespace {

using model::Labels;
using model::Matcher;
using model::MatchType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BucketStoreTest : public BucketStoreFixture {};

TEST_F(BucketStoreTest, MergesBlocksWithTheirExternalLabels) {
  EXPECT_THAT(
      ReadOk(Request({Matcher::Equal("code", "500")})),
      ElementsAre(
          R"({__name__="requests_total", cluster="eu", code="500", instance="b:1", job="api", replica="0"} 16:7)",
          R"({__name__="requests_total", cluster="eu", code="500", instance="b:1", job="api", replica="1"} 16:7)"));
  EXPECT_THAT(
      ReadOk(Request({Matcher::Equal("code", "500"), Matcher::Equal("replica", "1")})),
      ElementsAre(
          R"({__name__="requests_total", cluster="eu", code="500", instance="b:1", job="api", replica="1"} 16:7)"));
  EXPECT_THAT(ReadOk(Request({Matcher::Equal("cluster", "us")})), IsEmpty());
}

TEST_F(BucketStoreTest, LeavesReplicaLabelsOut) {
  wire::SeriesRequest request = Request({Matcher::Equal("__name__", "up")});
  request.without_replica_labels = {"replica"};
  const std::vector<std::string> lines = ReadOk(request);
  EXPECT_THAT(
      lines,
      ElementsAre(R"({__name__="up", cluster="eu"} 30:1)",
                  R"({__name__="up", cluster="eu", instance="a:1", job="api"} 0:1 15:0)",
                  R"({__name__="up", cluster="eu", instance="c:1", job="db"} 0:1)",
                  R"({__name__="up", cluster="eu", instance="c:1", job="db", zone="z1"} 30:1)"));
  // A label that series have themselves changes their order: "job" behind "instance".
  request.without_replica_labels = {"replica", "instance"};
  request.skip_chunks = true;
  EXPECT_THAT(
      ReadOk(request),
      ElementsAre(R"({__name__="up", cluster="eu"})", R"({__name__="up", cluster="eu", job="api"})",
                  R"({__name__="up", cluster="eu", job="db"})",
                  R"({__name__="up", cluster="eu", job="db", zone="z1"})"));
}

// However little is read at once, the answer is the same, and so it is from the cache.
TEST_F(BucketStoreTest, SizesOfReadsDoNotMatter) {
  const std::vector<std::string> expected = ReadOk(Request({}));
  EXPECT_EQ(expected.size(), 14U);
  for (const std::uint64_t page : {16, 50, 1000}) {
    for (const std::uint64_t chunk : {6, 20, 16'000}) {
      for (const std::size_t batch : {1, 3, 100}) {
        Open({.series_batch = batch, .most_chunk_bytes = chunk, .index_page_bytes = page});
        ASSERT_EQ(ReadOk(Request({})), expected) << page << " " << chunk << " " << batch;
        ASSERT_EQ(ReadOk(Request({})), expected) << page << " " << chunk << " " << batch;
      }
    }
  }
  EXPECT_GT(cache_->size_bytes(), 0U);
}

TEST_F(BucketStoreTest, StopsAtTheLimitOfTheRequest) {
  wire::SeriesRequest request = Request({});
  request.limit = 3;
  EXPECT_EQ(ReadOk(request).size(), 3U);
}

TEST_F(BucketStoreTest, ABlockThatFailsIsNamed) {
  Damage(std::string(kSecond) + "/chunks/000001", 20);
  wire::SeriesRequest request = Request({Matcher::Equal("__name__", "requests_total")});
  const std::vector<std::string> lines = ReadOk(request);
  ASSERT_EQ(lines.size(), 4U) << "three series of the other block and a warning";
  EXPECT_THAT(lines.back(), HasSubstr(kSecond));
  EXPECT_THAT(lines.back(), HasSubstr("chunks/000001 at offset"));

  request.partial_response = wire::PartialResponse::kAbort;
  const auto aborted = Read(request);
  EXPECT_EQ(aborted.status().code(), StatusCode::kDataLoss) << aborted.status();

  // A block of which a part is gone: the index says what is not there.
  ASSERT_TRUE(bucket_->Delete(context_, std::string(kSecond) + "/chunks/000001").ok());
  EXPECT_EQ(ReadOk(Request({Matcher::Equal("__name__", "requests_total")})).size(), 4U);
}

TEST_F(BucketStoreTest, RefusesARequestThatReadsTooMuch) {
  Open({.downloaded_bytes_limit = 100});
  const auto refused = Read(Request({Matcher::Equal("__name__", "up")}));
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("limit 100"));
  Open({.chunk_pool_bytes = 10});
  EXPECT_EQ(Read(Request({Matcher::Equal("__name__", "up")})).status().code(),
            StatusCode::kResourceExhausted);
}

TEST_F(BucketStoreTest, AnswersLabelRequests) {
  wire::LabelNamesRequest names;
  names.start = kStart;
  names.end = kStart + 1000;
  EXPECT_THAT(store_->LabelNames(context_, names)->strings,
              ElementsAre("__name__", "cluster", "code", "instance", "job", "replica", "zone"));
  names.matchers = {Matcher::Equal("job", "db")};
  names.without_replica_labels = {"replica"};
  EXPECT_THAT(store_->LabelNames(context_, names)->strings,
              ElementsAre("__name__", "cluster", "instance", "job", "zone"));
  names.matchers = {Matcher::Equal("job", "none")};
  EXPECT_THAT(store_->LabelNames(context_, names)->strings, IsEmpty());

  wire::LabelValuesRequest values;
  values.start = kStart;
  values.end = kStart + 1000;
  values.label = "replica";
  EXPECT_THAT(store_->LabelValues(context_, values)->strings, ElementsAre("0", "1"));
  values.label = "instance";
  values.matchers = {Matcher::Equal("replica", "0"), Matcher::Equal("job", "api")};
  EXPECT_THAT(store_->LabelValues(context_, values)->strings, ElementsAre("a:1", "b:1"));
  values.limit = 1;
  EXPECT_THAT(store_->LabelValues(context_, values)->strings, ElementsAre("a:1"));
  values.start = kStart + 100'000;
  values.end = kStart + 200'000;
  EXPECT_THAT(store_->LabelValues(context_, values)->strings, IsEmpty());
}

TEST_F(BucketStoreTest, HintsNameTheBlocksToAsk) {
  wire::SeriesRequest request = Request({Matcher::Equal("code", "500")});
  request.hints =
      wire::EncodeBlockMatchers(wire::HintsOf::kSeries, {Matcher::Equal("__block_id", kSecond)});
  const std::vector<std::string> lines = ReadOk(request);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines.front(), HasSubstr("replica=\"1\""));
  request.hints = "damaged";
  EXPECT_EQ(Read(request).status().code(), StatusCode::kInvalidArgument);
  request.hints = wire::EncodeBlockMatchers(wire::HintsOf::kLabelNames,
                                            {Matcher::Equal("__block_id", kSecond)});
  EXPECT_EQ(Read(request).status().code(), StatusCode::kInvalidArgument);

  wire::LabelValuesRequest values;
  values.start = kStart;
  values.end = kStart + 1000;
  values.label = "replica";
  values.hints =
      wire::EncodeBlockMatchers(wire::HintsOf::kLabelValues, {Matcher::Equal("replica", "0")});
  const auto answer = store_->LabelValues(context_, values);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->strings, ElementsAre("0"));
  const std::vector<std::string> asked = {kFirst};
  EXPECT_EQ(answer->hints, wire::EncodeQueriedBlocks(wire::HintsOf::kLabelValues, asked));
  EXPECT_THAT(answer->hints, HasSubstr("type.googleapis.com/hintspb.LabelValuesResponseHints"));
}

TEST_F(BucketStoreTest, SaysWhatItHas) {
  const auto info = store_->Info(context_);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->component_type, "store");
  EXPECT_EQ(info->store->min_time, kStart);
  EXPECT_EQ(info->store->max_time, kStart + 30'001);
  ASSERT_EQ(info->store->tsdb_infos.size(), 2U);
  EXPECT_EQ(info->store->tsdb_infos[1].labels, Labels::Of({{"cluster", "eu"}, {"replica", "1"}}));
  Open({.served = [] { return tsdb::TimeRange{kMinTime, kStart + 10'000}; }});
  EXPECT_EQ(store_->Info(context_)->store->max_time, kStart + 10'000);
  EXPECT_THAT(ReadOk(Request({Matcher::Equal("zone", "z1")})), IsEmpty());
}

TEST_F(BucketStoreTest, LetsGoOfTablesThatNobodyUses) {
  ReadOk(Request({}));
  const auto block = store_->blocks()->blocks().front();
  EXPECT_FALSE(block->LetGoUnusedSince(std::chrono::steady_clock::time_point::min()));
  EXPECT_TRUE(block->LetGoUnusedSince(std::chrono::steady_clock::now()));
  EXPECT_FALSE(block->LetGoUnusedSince(std::chrono::steady_clock::now()));
  EXPECT_EQ(ReadOk(Request({})).size(), 14U);
}

}  // namespace
}  // namespace aevum::storegateway
