// Classic histograms of a load command as native ones with custom buckets.
#pragma once

#include "promql/memory_storage.h"
#include "promql/script/script.h"

namespace aevum::promql::script {

// Adds, for every classic histogram that is loaded (x_bucket with le, x_count, x_sum), the native
// histogram x of the same labels.
void AppendCustomBuckets(const Load& load, MemoryStorage* storage);

}  // namespace aevum::promql::script
