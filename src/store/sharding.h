// Which series belong to a shard of a query.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/labels.h"
#include "store/store.h"
#include "wire/store_api.h"

namespace aevum::store {

// xxhash64 of `name ff value ff` over the chosen labels, modulo the number of shards, as all Thanos
// stores compute it. Fewer than one shard: all series belong. Immutable, hence thread-safe.
class ShardMatcher {
 public:
  explicit ShardMatcher(wire::ShardInfo info);
  bool Matches(const model::Labels& labels) const;

 private:
  wire::ShardInfo info_;  // labels sorted
};

// Leaves only the series of a shard, for stores that do not do it themselves.
std::unique_ptr<SeriesStream> FilterShard(std::unique_ptr<SeriesStream> stream,
                                          wire::ShardInfo info);

}  // namespace aevum::store
