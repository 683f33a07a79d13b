#include "store/sharding.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <xxhash.h>

namespace aevum::store {
namespace {

class ShardStream final : public SeriesStream {
 public:
  ShardStream(std::unique_ptr<SeriesStream> stream, wire::ShardInfo info)
      : stream_(std::move(stream)), matcher_(std::move(info)) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    while (true) {
      ASSIGN_OR_RETURN(const bool more, stream_->Next(batch));
      std::erase_if(batch->series, [&](const wire::SeriesBatch::Series& series) {
        return !matcher_.Matches(series.labels);
      });
      if (!more || !batch->empty()) return more;
    }
  }

 private:
  std::unique_ptr<SeriesStream> stream_;
  ShardMatcher matcher_;
};

}  // namespace

ShardMatcher::ShardMatcher(wire::ShardInfo info) : info_(std::move(info)) {
  std::sort(info_.labels.begin(), info_.labels.end());
}

bool ShardMatcher::Matches(const model::Labels& labels) const {
  if (info_.total_shards < 1) return true;
  std::string text;
  for (const model::Label label : labels) {
    if (std::binary_search(info_.labels.begin(), info_.labels.end(), label.name) != info_.by) {
      continue;
    }
    text.append(label.name).push_back('\xff');
    text.append(label.value).push_back('\xff');
  }
  const std::uint64_t shard =
      XXH64(text.data(), text.size(), 0) % static_cast<std::uint64_t>(info_.total_shards);
  return shard == static_cast<std::uint64_t>(info_.shard_index);
}

std::unique_ptr<SeriesStream> FilterShard(std::unique_ptr<SeriesStream> stream,
                                          wire::ShardInfo info) {
  return std::make_unique<ShardStream>(std::move(stream), std::move(info));
}

}  // namespace aevum::store
