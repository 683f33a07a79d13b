// Which blocks become which, compared with what Thanos's compactor made of the same bucket.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "compact/compactor.h"
#include "compact/testing/fake_blocks.h"
#include "objstore/testing/memory_bucket.h"

namespace aevum::compact {
namespace {

// What must be equal: all but ULIDs, sizes and times of upload.
using Block = std::tuple<std::map<std::string, std::string>, std::int64_t, TimestampMs, TimestampMs,
                         std::int64_t, std::set<model::Ulid>>;

Block BlockOf(const block::Meta& meta) {
  return {meta.labels,
          meta.resolution_ms,
          meta.min_time,
          meta.max_time,
          meta.compaction.level,
          std::set<model::Ulid>(meta.compaction.sources.begin(), meta.compaction.sources.end())};
}

std::vector<block::Meta> ReadGolden(const std::string& bucket) {
  const std::string root = std::string(AEVUM_SHARED_DIR) + "/golden/buckets/" + bucket;
  std::vector<block::Meta> metas;
  if (!std::filesystem::exists(root)) return metas;
  const std::vector<std::string> names = *ListDirectory(root);
  for (const std::string& name : names) {
    if (!model::BlockDirectory(name)) continue;
    metas.push_back(*block::ReadMetaFile(root + "/" + name));
  }
  return metas;
}

struct Case {
  const char* input;
  const char* golden;
  std::vector<std::string> replica_labels;
  compaction::MergeFunction function;
};

TEST(GoldenBucketsTest, CompactsWhatThanosDoes) {
  if (ReadGolden("raw").empty()) GTEST_SKIP() << "the golden buckets are not here";
  const Case cases[] = {
      {"raw", "compacted", {}, compaction::MergeFunction::kOneToOne},
      {"raw", "deduped-one-to-one", {"replica"}, compaction::MergeFunction::kOneToOne},
      {"raw", "deduped-penalty", {"replica"}, compaction::MergeFunction::kPenalty},
      {"downsampled", "downsampled", {}, compaction::MergeFunction::kOneToOne},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.golden);
    const auto bucket = std::make_shared<objstore::MemoryBucket>();
    for (const block::Meta& meta : ReadGolden(c.input)) {
      if (meta.resolution_ms == compaction::kResolutionRaw)
        testing::BucketOf(*bucket).PutBlock(meta, meta.ulid.ToString());
    }
    const TemporaryDirectory directory = *TemporaryDirectory::Create();
    CompactorOptions options;
    options.data_dir = directory.path();
    options.consistency_delay = std::chrono::seconds(0);
    options.delete_delay = std::chrono::seconds(0);
    options.vertical = true;
    options.replica_labels = c.replica_labels;
    options.function = c.function;
    options.leases.owner = "worker";
    testing::FakeWork work;
    testing::TickingClock clock(1'900'000'000'000);
    prometheus::Registry registry;
    Compactor compactor(options, bucket, work.functions(), Logger(), registry, clock);
    ASSERT_TRUE(compactor.RunOnce(Context::Background()).ok());
    EXPECT_TRUE(compactor.problems().empty());

    std::multiset<Block> made;
    for (const auto& [ulid, found] : testing::ReadBlocks(*bucket).all) {
      if (!found.marked) made.insert(BlockOf(found.meta));
    }
    std::multiset<Block> wanted;
    for (const block::Meta& meta : ReadGolden(c.golden)) wanted.insert(BlockOf(meta));
    EXPECT_EQ(made, wanted);
  }
}

}  // namespace
}  // namespace aevum::compact
