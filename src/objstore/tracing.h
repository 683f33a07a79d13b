// A bucket whose calls are spans of the trace of their context.
#pragma once

#include <memory>

#include "objstore/bucket.h"

namespace aevum::objstore {

// The spans are named as Thanos names them: bucket_iter, bucket_iter_with_attrs, bucket_get,
// bucket_getrange, bucket_exists, bucket_attributes, bucket_upload, bucket_delete. They say which
// directory, or which object and which part of it, and how many bytes were read. Without a trace a
// call costs one test of a pointer more.
std::unique_ptr<Bucket> WithTracing(std::shared_ptr<Bucket> bucket);

}  // namespace aevum::objstore
