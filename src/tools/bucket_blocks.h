// The blocks of a bucket as the one-shot tools read them: without a cache, with metrics of their
// own.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/logging.h"
#include "block/meta_reader.h"
#include "objstore/bucket.h"

namespace prometheus {
class Registry;
}

namespace aevum::tools {

// What the names of the fetcher's metrics begin with.
inline constexpr std::string_view kMetaMetrics = "thanos_bucket_blocks_meta";
inline constexpr std::size_t kMetaConcurrency = 32;

// Borrows the bucket.
inline std::shared_ptr<block::MetaReader> MakeMetaReader(objstore::Bucket& bucket,
                                                         std::size_t concurrency,
                                                         const Logger& logger,
                                                         prometheus::Registry& metrics,
                                                         std::string_view prefix = kMetaMetrics) {
  return std::make_shared<block::MetaReader>(
      block::MetaReaderOptions{.discovery = block::Discovery::kConcurrent,
                               .concurrency = concurrency,
                               .cache_directory = ""},
      bucket, logger, metrics, std::string(prefix));
}

}  // namespace aevum::tools
