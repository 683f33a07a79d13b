// A bucket that keeps parts of chunk files, small objects and listings in a cache.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/logging.h"
#include "cache/cache.h"
#include "objstore/decorator.h"

namespace prometheus {
class Registry;
}

namespace aevum::cache {

// The fields of --store.caching-bucket.config.
struct CachingBucketOptions {
  std::int64_t chunk_subrange_size = 16'000;
  std::int64_t max_chunks_get_range_requests = 3;  // of one read; 0 or less: no limit
  std::uint64_t metafile_max_size = 1 << 20;
  std::chrono::nanoseconds chunk_object_attrs_ttl = std::chrono::hours(24);
  std::chrono::nanoseconds chunk_subrange_ttl = std::chrono::hours(24);
  std::chrono::nanoseconds blocks_iter_ttl = std::chrono::minutes(5);
  std::chrono::nanoseconds metafile_exists_ttl = std::chrono::hours(2);
  std::chrono::nanoseconds metafile_doesnt_exist_ttl = std::chrono::minutes(15);
  std::chrono::nanoseconds metafile_content_ttl = std::chrono::hours(24);
  // Tells listings of several buckets in one cache apart.
  std::string config_hash;
};

// What is cached, under the keys and in the form of Thanos (pkg/store/cache of it), so that a cache
// can be shared:
//
//     */chunks/<n>             attrs:<name>            {"size":..., "last_modified":"..."}
//                              subrange:<name>:<b>:<e> bytes [b, e), aligned to the subrange size
//     */meta.json, */deletion-mark.json
//                              exists:<name>           true or false
//                              content:<name>          the object
//     the root                 iter::<hash>, iter-recursive::<hash>   a JSON list of names
//
// What the cache gives and can't be right is as if it were not there. Who reads chunks checks their
// checksums and asks origin() where they are wrong. Metrics: thanos_store_bucket_cache_*.
// Thread-safe.
class CachingBucket final : public objstore::BucketDecorator {
 public:
  CachingBucket(std::shared_ptr<objstore::Bucket> bucket, std::shared_ptr<Cache> cache,
                CachingBucketOptions options, Logger logger, prometheus::Registry& metrics);
  ~CachingBucket() override;

  Status Iterate(const Context& context, const std::string& directory,
                 const objstore::IterateOptions& options,
                 const objstore::ObjectVisitor& visit) override;
  Status Read(const Context& context, const std::string& name, objstore::ByteRange range,
              objstore::ByteSink& sink) override;
  StatusOr<objstore::ObjectAttributes> Attributes(const Context& context,
                                                  const std::string& name) override;
  StatusOr<bool> Exists(const Context& context, const std::string& name) override;

  // The bucket behind the cache.
  const std::shared_ptr<objstore::Bucket>& origin() const { return origin_; }

 private:
  struct Metrics;
  struct Subranges;

  SharedBytes FetchOne(const Context& context, const std::string& key);
  Status ReadMetafile(const Context& context, const std::string& name, objstore::ByteSink& sink);
  Status ReadChunks(const Context& context, const std::string& name, objstore::ByteRange range,
                    objstore::ByteSink& sink);
  Status FetchMissing(const Context& context, const std::string& name, Subranges* wanted);
  void StoreExists(const std::string& name, bool exists,
                   std::chrono::steady_clock::time_point since);

  const std::shared_ptr<objstore::Bucket> origin_;
  const std::shared_ptr<Cache> cache_;
  const CachingBucketOptions options_;
  const Logger logger_;
  const std::unique_ptr<Metrics> metrics_;
};

// Ranges [begin, end) that are no more than `gap` apart become one. In order, as they are given.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  friend bool operator==(const Range&, const Range&) = default;
};
std::vector<Range> MergeRanges(std::vector<Range> ranges, std::int64_t gap);

}  // namespace aevum::cache
