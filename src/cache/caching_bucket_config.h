// The caching bucket of --store.caching-bucket.config.
#pragma once

#include <memory>
#include <string_view>

#include "base/logging.h"
#include "base/status.h"
#include "cache/caching_bucket.h"
#include "objstore/bucket.h"

namespace prometheus {
class Registry;
}

namespace aevum::cache {

//     type: MEMCACHED            # IN-MEMORY, MEMCACHED, REDIS; any case
//     config: {...}              # of the type, see cache/config.h
//     chunk_subrange_size: 16000 # and the other fields of CachingBucketOptions
//
// `path` is the file that the text came from, "" for none: with the text it makes the hash in the
// keys of listings, as in Thanos. InvalidArgument names the field and its line; Unimplemented a
// type that this version lacks. A remote server need not answer.
StatusOr<std::shared_ptr<CachingBucket>> OpenCachingBucket(
    std::string_view yaml, std::string_view path, std::shared_ptr<objstore::Bucket> bucket,
    const Logger& logger, const std::shared_ptr<prometheus::Registry>& metrics);

}  // namespace aevum::cache
