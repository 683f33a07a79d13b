#include "storegateway/bucket_store.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "chunk/chunk.h"
#include "objstore/testing/memory_bucket.h"
#include "storegateway/memory_index_cache.h"

namespace aevum::storegateway {
namespace {

using model::Labels;
using model::Matcher;
using model::MatchType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr TimestampMs kStart = 1'700'000'000'000;
const char* const kFirst = "01HF5Z6Q0000000000000000AA";
const char* const kSecond = "01HF5Z6Q0000000000000000AB";

// Two replicas of the block of src/tsdb/testdata in a bucket in memory.
class BucketStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Upload(kFirst);
    Upload(kSecond);
    Open({});
  }

  void Upload(const std::string& id) {
    for (const char* name : {"index", "chunks/000001"}) {
      auto bytes = ReadFile(AEVUM_SOURCE_DIR "/src/tsdb/testdata/block/" + std::string(name));
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      Put(id + "/" + name, *bytes);
    }
  }
  void Put(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(bucket_->Upload(context_, name, objstore::BytesSource(bytes), {}).ok());
  }
  // One byte of an object is another.
  void Damage(const std::string& name, std::size_t offset) {
    std::string bytes = *bucket_->Get(context_, name);
    bytes[offset] = static_cast<char>(bytes[offset] ^ 1);
    Put(name, bytes);
  }

  void Open(BucketStoreOptions options) {
    cache_ = std::make_shared<MemoryIndexCache>(MemoryIndexCacheOptions{}, *metrics_);
    store_ = std::make_unique<BucketStore>(options, bucket_, cache_, *metrics_);
    store_->SetBlocks(std::make_shared<const BlockSet>(
        std::vector{MakeBlock(kFirst, "0"), MakeBlock(kSecond, "1")}));
  }

  std::shared_ptr<BucketBlock> MakeBlock(const std::string& id, const std::string& replica) {
    auto meta = std::make_shared<block::Meta>();
    meta->ulid = *model::Ulid::Parse(id);
    meta->min_time = kStart;
    meta->max_time = kStart + 30'001;
    meta->labels = {{"cluster", "eu"}, {"replica", replica}};
    return std::make_shared<BucketBlock>(
        meta,
        [bucket = bucket_](const Context& context,
                           const block::Meta& of) -> StatusOr<BucketBlock::Tables> {
          ASSIGN_OR_RETURN(std::string index, bucket->Get(context, of.ulid.ToString() + "/index"));
          ASSIGN_OR_RETURN(tsdb::IndexTables tables,
                           tsdb::IndexTables::OpenIndex(SharedBytes::Own(std::move(index))));
          return std::make_shared<const tsdb::IndexTables>(std::move(tables));
        });
  }

  static wire::SeriesRequest Request(model::Matchers matchers) {
    wire::SeriesRequest request;
    request.min_time = kStart - 1000;
    request.max_time = kStart + 60'000;
    request.matchers = std::move(matchers);
    request.aggregates = {wire::Aggr::kRaw};
    return request;
  }

  // A series a line, with the samples of its chunks; at the end warnings.
  StatusOr<std::vector<std::string>> Read(const wire::SeriesRequest& request) {
    ASSIGN_OR_RETURN(const auto stream, store_->Series(context_, request));
    std::vector<std::string> lines;
    std::vector<std::string> warnings;
    wire::SeriesBatch batch;
    while (true) {
      ASSIGN_OR_RETURN(const bool more, stream->Next(&batch));
      warnings.insert(warnings.end(), batch.warnings.begin(), batch.warnings.end());
      for (const wire::SeriesBatch::Series& series : batch.series) {
        std::string line = series.labels.ToString();
        for (const chunk::ChunkView& view : batch.ChunksOf(series)) {
          chunk::Columns samples;
          RETURN_IF_ERROR(chunk::Decode(view.encoding, view.data, &samples));
          for (std::size_t i = 0; i < samples.times.size(); ++i)
            line += fmt::format(" {}:{}", (samples.times[i] - kStart) / 1000, samples.values[i]);
        }
        lines.push_back(std::move(line));
      }
      if (!more) break;
    }
    lines.insert(lines.end(), warnings.begin(), warnings.end());
    return lines;
  }
  std::vector<std::string> ReadOk(const wire::SeriesRequest& request) {
    auto lines = Read(request);
    EXPECT_TRUE(lines.ok()) << lines.status();
    return lines.ok() ? *std::move(lines) : std::vector<std::string>();
  }

  const Context context_ = Context::Background();
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::shared_ptr<objstore::MemoryBucket> bucket_ = std::make_shared<objstore::MemoryBucket>();
  std::shared_ptr<MemoryIndexCache> cache_;
  std::unique_ptr<BucketStore> store_;
};

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
