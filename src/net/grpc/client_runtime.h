// What the channels of a process share.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "net/grpc/client.h"
#include "net/grpc/loop.h"
#include "net/grpc/metrics.h"

namespace aevum::net::grpc {

class ClientRuntime::Impl {
 public:
  Impl(std::size_t loops, std::shared_ptr<prometheus::Registry> registry, Logger log,
       Limits client_limits);
  ~Impl();

  // The loops in turn; a channel stays on its own.
  Loop& NextLoop() { return *loops_[next_++ % loops_.size()]; }

  const Limits limits;
  const Logger logger;
  CallMetrics metrics;
  // Names are looked up off the loops: the system's resolver blocks.
  ThreadPool resolver;

 private:
  std::atomic<std::size_t> next_ = 0;
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace aevum::net::grpc
