// A server with a few methods that tests of both ends call.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <string>

#include <prometheus/registry.h>

#include "base/mutex.h"
#include "net/grpc/client.h"
#include "net/grpc/server.h"

namespace aevum::net::grpc {

// A condition that another thread waits for; waiting fails after a generous time.
class Signal {
 public:
  void Set();
  bool Wait(std::chrono::milliseconds timeout = std::chrono::seconds(20));

 private:
  Mutex mutex_;
  std::condition_variable changed_;
  bool set_ AEVUM_GUARDED_BY(mutex_) = false;
};

//     /test.Echo/Unary      the request
//     /test.Echo/Fail       the status "not found: <request>", whose code is NotFound
//     /test.Echo/Throw      throws
//     /test.Echo/Stream     "<count> <size>": that many messages of that size, numbered in front
//     /test.Echo/Block      one message, then waits until the call is over
//     /test.Echo/Careless   waits until the call is over and says that all is well
//     /test.Echo/Metadata   tenant, request id, "test-key"
class TestServer {
 public:
  explicit TestServer(ServerOptions options = {});
  ~TestServer();

  std::string address() const;
  Server& server() { return server_; }
  const std::shared_ptr<prometheus::Registry>& registry() { return registry_; }

  std::atomic<int> blocked = 0;           // handlers of Block that run
  std::atomic<int> cancelled = 0;         // and that were cancelled
  std::atomic<std::size_t> streamed = 0;  // messages that Stream has queued
  Signal block_entered;
  Signal block_left;

 private:
  void RegisterMethods();

  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  Server server_;
};

// Limits with short times and ticks.
Limits QuickLimits();

// The sum over all series of a metric's family whose labels contain all of these.
double MetricValue(prometheus::Registry& registry, const std::string& name,
                   const std::vector<std::pair<std::string, std::string>>& labels);

}  // namespace aevum::net::grpc
