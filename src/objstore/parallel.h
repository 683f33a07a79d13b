// Running the parts of one call side by side.
#pragma once

#include <cstddef>
#include <functional>

#include "base/status.h"
#include "base/thread_pool.h"

namespace aevum::objstore {

// Calls work(0) .. work(count - 1), at most `width` at a time, and returns the first error by time;
// after an error no further call starts. The caller's thread works too and the pool only helps, so
// a busy pool, or none, makes it slower and never stuck. Returns when all calls have ended.
Status RunParallel(ThreadPool* pool, std::size_t count, std::size_t width,
                   const std::function<Status(std::size_t index)>& work);

}  // namespace aevum::objstore
