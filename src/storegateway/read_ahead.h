// A stream that is read one batch ahead.
#pragma once

#include <memory>

#include "base/thread_pool.h"
#include "store/store.h"

namespace aevum::storegateway {

// Starts to read the first batch at once, and the next one as soon as one was taken, on threads of
// the pool; so streams that are merged are read side by side. Where the pool is full the reader's
// own thread reads. The stream may live on for one batch after its reader is gone. The pool must
// outlive the result.
std::unique_ptr<store::SeriesStream> ReadAhead(std::unique_ptr<store::SeriesStream> stream,
                                               ThreadPool& pool);

}  // namespace aevum::storegateway
