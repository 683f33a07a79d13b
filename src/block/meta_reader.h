// Which blocks a bucket holds, and their metas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/context.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/status.h"
#include "block/meta.h"
#include "block/meta_cache.h"
#include "objstore/bucket.h"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace aevum::block {

// How blocks are found (--block-discovery-strategy).
enum class Discovery : std::uint8_t {
  kConcurrent,  // lists the root, then asks for each block's meta.json
  kRecursive,   // lists everything: fewer calls where blocks have few files
};

struct MetaReaderOptions {
  Discovery discovery = Discovery::kConcurrent;
  std::size_t concurrency = 32;
  std::string cache_directory;  // "": metas are kept in memory alone
};

// The blocks of a bucket at one moment.
struct BucketBlocks {
  MetaMap metas;
  // Blocks that are set aside, with the reason: NotFound without meta.json, Corruption with one
  // that can't be read.
  std::map<model::Ulid, Status> partial;
  // Blocks that could not be looked at, by an error that may pass. Those that were known before
  // are in `metas` all the same.
  std::map<model::Ulid, Status> failed;
  // Blocks with a deletion mark; nullopt when the listing does not tell.
  std::optional<std::set<model::Ulid>> deletion_marks;
};

// Reads the blocks of a bucket again and again. A meta is read once and kept; whether it is still
// there and the same is asked each time, but for the first time when metas were found on disk: then
// one listing is enough. Thread-safe; one Read at a time, others wait.
class MetaReader {
 public:
  // `prefix` begins the names of the metrics: "thanos_blocks_meta". Borrows the bucket.
  MetaReader(MetaReaderOptions options, objstore::Bucket& bucket, Logger logger,
             prometheus::Registry& registry, const std::string& prefix = "thanos_blocks_meta");

  // An error only when the bucket can't be listed or the context ended.
  StatusOr<std::shared_ptr<const BucketBlocks>> Read(const Context& context);

 private:
  struct Found {
    bool has_meta = false;
    TimestampMs modified_ms = 0;
    bool listed = false;  // whether `has_meta` and the time are known
  };
  struct Listing {
    std::map<model::Ulid, Found> blocks;
    std::optional<std::set<model::Ulid>> deletion_marks;
  };
  StatusOr<Listing> List(const Context& context);
  StatusOr<CachedMeta> Look(const Context& context, const model::Ulid& block, Found found,
                            const CachedMeta* known, bool trusted);
  StatusOr<CachedMeta> Fetch(const Context& context, const model::Ulid& block,
                             TimestampMs modified_ms);
  void Keep(CachedMetas metas) AEVUM_REQUIRES(mutex_);

  const MetaReaderOptions options_;
  objstore::Bucket& bucket_;
  const Logger logger_;
  const MetaCache cache_;
  prometheus::Counter& reads_;
  prometheus::Counter& cache_busts_;
  Mutex mutex_;
  bool loaded_ AEVUM_GUARDED_BY(mutex_) = false;
  bool trust_cache_ AEVUM_GUARDED_BY(mutex_) = false;
  CachedMetas known_ AEVUM_GUARDED_BY(mutex_);
};

}  // namespace aevum::block
