// Native histograms that the tables of both other engines query.
#pragma once

#include "chunk_storage.h"

namespace aevum::bench {

// 3,000 series native_histogram_series with 2,000 samples every 15 s from time 0: exponential
// buckets, the first sample with finer ones than those after it.
ChunkStorage& ExponentialHistograms();
// The same of native_histogram_custom_bucket_series, with custom buckets.
ChunkStorage& CustomBucketHistograms();

}  // namespace aevum::bench
