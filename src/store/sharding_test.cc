#include "store/sharding.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chunk/testing/vectors.h"

namespace aevum::store {
namespace {

using nlohmann::json;

TEST(ShardMatcherTest, ChoosesAsThanos) {
  const std::vector<json> series = chunk::testing::ReadVectors("sharding/series.jsonl");
  const std::vector<json> shards = chunk::testing::ReadVectors("sharding/shards.jsonl.gz");
  if (series.empty() || shards.empty()) GTEST_SKIP() << "no golden vectors at " << AEVUM_SHARED_DIR;
  std::vector<model::Labels> labels;
  std::vector<json> kept = series;  // the views of the labels are into it
  for (const json& one : kept) {
    std::vector<model::Label> list;
    for (const json& pair : one.at("labels")) {
      list.push_back(
          {pair[0].get_ref<const std::string&>(), pair[1].get_ref<const std::string&>()});
    }
    labels.push_back(model::Labels::FromUnsorted(list));
  }
  for (const json& c : shards) {
    const auto total = c.at("total_shards").get<std::int64_t>();
    wire::ShardInfo info{.shard_index = 0, .total_shards = total, .by = c.at("by"), .labels = {}};
    if (c.at("labels").is_array()) info.labels = c.at("labels").get<std::vector<std::string>>();
    SCOPED_TRACE(fmt::format("total {} by {} {}", total, info.by, c.at("labels").dump()));
    for (std::int64_t shard = 0; shard < std::max<std::int64_t>(total, 1); ++shard) {
      info.shard_index = shard;
      const ShardMatcher matcher(info);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        const bool expected = total < 1 || c.at("shard_of_series")[i] == shard;
        ASSERT_EQ(matcher.Matches(labels[i]), expected) << labels[i].ToString();
      }
    }
  }
}

}  // namespace
}  // namespace aevum::store
