// Two replicas of a small block in a bucket in memory, and a store over them, for tests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "chunk/chunk.h"
#include "objstore/testing/memory_bucket.h"
#include "storegateway/bucket_store.h"
#include "storegateway/memory_index_cache.h"

namespace aevum::storegateway {

inline constexpr TimestampMs kStart = 1'700'000'000'000;
inline constexpr const char* kFirst = "01HF5Z6Q0000000000000000AA";
inline constexpr const char* kSecond = "01HF5Z6Q0000000000000000AB";

// Two replicas of the block of src/tsdb/testdata in a bucket in memory.
class BucketStoreFixture : public ::testing::Test {
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
    cache_ = std::make_shared<MemoryIndexCache>(cache::LruLimits{}, *metrics_);
    OpenWith(options, bucket_, cache_);
  }
  void OpenWith(BucketStoreOptions options, std::shared_ptr<objstore::Bucket> bucket,
                std::shared_ptr<IndexCache> cache) {
    store_ = std::make_unique<BucketStore>(options, std::move(bucket), std::move(cache), *metrics_);
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

}  // namespace aevum::storegateway
