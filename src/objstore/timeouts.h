// A limit on how long calls of a bucket may take.
#pragma once

#include <chrono>
#include <memory>

#include "objstore/bucket.h"

namespace aevum::objstore {

// 0 for no limit.
struct CallTimeouts {
  std::chrono::milliseconds small{0};     // attributes, exists, delete
  std::chrono::milliseconds transfer{0};  // read, upload, iterate
};

// DeadlineExceeded when a call takes longer; the context's own deadline holds as well.
std::unique_ptr<Bucket> WithTimeouts(std::shared_ptr<Bucket> bucket, CallTimeouts timeouts);

}  // namespace aevum::objstore
