// The blocks of a bucket that a component works with: all of them, less what its filters leave out.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/logging.h"
#include "base/status.h"
#include "block/meta.h"
#include "block/meta_reader.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::block {

// What became of a block: the values of the label `state` of <prefix>_synced.
enum class BlockState : std::uint8_t {
  kCorruptedMeta,
  kNoMeta,
  kLoaded,
  kTooFresh,
  kFailed,
  kLabelExcluded,
  kTimeExcluded,
  kDuplicate,
  kMarkedForDeletion,
  kMarkedForNoCompact,
  kMarkedForNoDownsample,
  kParquetMigrated,
};
inline constexpr std::size_t kBlockStates = 12;
std::string_view BlockStateName(BlockState state);

// What filters work on.
struct FetchView {
  MetaMap metas;
  // Of all blocks of the bucket; nullopt when the listing did not tell.
  std::optional<std::set<model::Ulid>> deletion_marks;
  std::array<std::size_t, kBlockStates> states{};
  std::size_t labels_removed = 0;  // blocks that lost a replica label

  void Count(BlockState state) { ++states[static_cast<std::size_t>(state)]; }
  // Removes the block at `it`, counted under `state`; returns what follows.
  MetaMap::iterator Drop(MetaMap::iterator it, BlockState state) {
    Count(state);
    return metas.erase(it);
  }
};

// Leaves out or changes metas. Apply is called by one thread at a time.
class MetaFilter {
 public:
  virtual ~MetaFilter() = default;
  virtual Status Apply(const Context& context, FetchView& view) = 0;
};

// What a Fetch found. Immutable.
struct FetchedBlocks {
  MetaMap metas;
  std::map<model::Ulid, Status> partial;  // as in BucketBlocks
  // OK, or Unavailable: blocks that are not in `metas` may exist all the same. Who deletes or
  // rewrites blocks must wait for a complete view.
  Status complete;
};

// Fetches again and again. Several fetchers, with other filters, may share a reader. Thread-safe;
// one Fetch at a time, others wait.
class MetaFetcher {
 public:
  using Filters = std::vector<std::shared_ptr<MetaFilter>>;

  // `prefix` begins the names of the metrics. Filters run in their order.
  MetaFetcher(std::shared_ptr<MetaReader> reader, Filters filters, Logger logger,
              prometheus::Registry& registry, const std::string& prefix = "thanos_blocks_meta");

  // An error when the bucket can't be listed, a filter fails or the context ended. Logs a block
  // that is set aside when it is first seen so.
  StatusOr<std::shared_ptr<const FetchedBlocks>> Fetch(const Context& context);

 private:
  StatusOr<std::shared_ptr<const FetchedBlocks>> FetchLocked(
      const Context& context, std::chrono::steady_clock::time_point start) AEVUM_REQUIRES(mutex_);
  void LogPartial(const std::map<model::Ulid, Status>& partial) AEVUM_REQUIRES(mutex_);
  void Publish(const FetchView& view);

  const std::shared_ptr<MetaReader> reader_;
  const Filters filters_;
  const Logger logger_;
  prometheus::Counter& syncs_;
  prometheus::Counter& failures_;
  prometheus::Histogram& seconds_;
  std::array<prometheus::Gauge*, kBlockStates> synced_{};
  prometheus::Gauge& labels_removed_;
  Mutex mutex_;
  std::set<model::Ulid> known_partial_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::block
