// Which Redis server holds a key: one, the master that sentinels name, or a node of a cluster.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"
#include "cache/connection.h"

namespace aevum::cache {

struct RedisServersOptions {
  std::vector<std::string> addresses;  // host:port: a server, nodes of a cluster, or sentinels
  std::string master_name;             // not empty: of the master that the sentinels know
  std::chrono::nanoseconds timeout = std::chrono::seconds(5);  // of one question
};

// Servers are looked up by a thread of its own, at once, each ten seconds, and when somebody
// doubts what is known; who asks for a key's server never waits. Thread-safe.
class RedisServers {
 public:
  // To nodes of a cluster, logged in. Sentinels are spoken to in the clear and without a login, as
  // Thanos does it.
  using Dial = std::function<StatusOr<std::unique_ptr<Connection>>(const Context& context,
                                                                   const std::string& address)>;
  // Told, after each look, which servers hold keys now; by the thread that looks, the first time by
  // the constructor.
  using OnKnown = std::function<void(const std::vector<std::string>& servers)>;
  RedisServers(RedisServersOptions options, Dial dial, OnKnown on_known, Logger logger);
  ~RedisServers();
  RedisServers(const RedisServers&) = delete;
  RedisServers& operator=(const RedisServers&) = delete;

  // A server says itself whether it is one of a cluster.
  bool IsCluster() const { return !known_.Get()->of_slot.empty(); }
  // "" while none is known.
  std::string ServerOf(std::string_view key) const;
  // An exchange failed, or a server says that it is not the right one.
  void Doubt();

 private:
  struct Known {
    std::vector<std::string> servers;
    std::vector<std::uint16_t> of_slot;  // positions in `servers`; of a cluster only
  };

  void Run();
  void LookUp();
  StatusOr<Known> AskSentinel(const Context& context, const std::string& address) const;
  StatusOr<Known> AskNode(const Context& context, const std::string& address) const;

  const RedisServersOptions options_;
  const Dial dial_;
  const OnKnown on_known_;
  const Logger logger_;
  Snapshot<Known> known_;
  bool failing_ = false;  // since the last look; of the thread that looks
  CancelScope scope_{Context::Background()};
  Mutex mutex_;
  std::condition_variable wake_;
  bool doubted_ AEVUM_GUARDED_BY(mutex_) = false;
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  std::thread looker_;
};

}  // namespace aevum::cache
