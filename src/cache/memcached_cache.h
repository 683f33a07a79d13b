// A cache in memcached servers that others may share.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/logging.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "cache/cache.h"
#include "cache/circuit_breaker.h"
#include "cache/connection_pool.h"
#include "cache/server_selector.h"
#include "cache/write_queue.h"
#include "net/discovery/dns.h"
#include "store/gate.h"

namespace prometheus {
class Registry;
}

namespace aevum::cache {

// The fields of the configuration; see cache/config.h for their names.
struct MemcachedOptions {
  std::vector<std::string> addresses;  // host:port, or with a scheme of net/discovery/dns.h
  std::chrono::nanoseconds timeout = std::chrono::milliseconds(500);  // of a whole exchange
  std::int64_t max_idle_connections = 100;                            // of each server
  std::int64_t max_async_concurrency = 20;
  std::int64_t max_async_buffer_size = 10'000;
  std::int64_t max_get_multi_concurrency = 100;  // 0: no limit
  std::int64_t max_get_multi_batch_size = 0;     // keys in one exchange; 0: no limit
  std::uint64_t max_item_size = 1 << 20;         // 0: no limit
  std::chrono::nanoseconds dns_provider_update_interval = std::chrono::seconds(10);
  bool auto_discovery = false;  // the addresses are asked for the servers
  CircuitBreakerOptions set_async_circuit_breaker;

  // InvalidArgument names the field that can't be.
  Status Check() const;
};

// Keys go to the servers as Thanos sends them (ServerSelector), so that both find what the other
// stored. A key that memcached can't have is a miss. Metrics: thanos_memcached_*, with the label
// `name`. Thread-safe; has threads for writes, for reads from several servers at once, and one that
// looks up the servers.
class MemcachedCache final : public Cache {
 public:
  // Looks the servers up, for ten seconds at most. None is no error: until there are some,
  // everything is a miss. The options must have passed Check().
  MemcachedCache(std::string name, MemcachedOptions options, Logger logger,
                 const std::shared_ptr<prometheus::Registry>& metrics, net::DnsOptions dns = {});
  ~MemcachedCache() override;

  std::vector<SharedBytes> Fetch(const Context& context,
                                 std::span<const std::string> keys) override;
  void Store(std::string key, SharedBytes bytes, std::chrono::nanoseconds ttl) override;

 private:
  struct Metrics;
  // Keys of one exchange: their server, and their places in the request.
  struct Batch {
    std::string server;
    std::vector<std::size_t> places;
  };

  std::vector<Batch> Split(const ServerSelector& servers, std::span<const std::string> keys) const;
  void FetchBatch(const Context& context, std::span<const std::string> keys, const Batch& batch,
                  std::vector<SharedBytes>* items);
  void Write(std::vector<CacheWrite> batch);
  void WriteTo(const std::string& server, const std::vector<const CacheWrite*>& batch);
  void LookUp();
  Status Discover(const Context& context, std::vector<std::string>* servers);
  void LookUpAgainAndAgain();

  const std::string name_;
  const MemcachedOptions options_;
  const Logger logger_;
  const std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<store::Gate> gate_;
  net::DnsResolver dns_;
  ConnectionPool connections_;
  // What each address answered last when it was asked for servers; of the thread that looks.
  std::map<std::string, std::vector<std::string>> discovered_;
  Snapshot<ServerSelector> servers_;
  CircuitBreaker breaker_;
  CancelScope scope_{Context::Background()};
  ThreadPool readers_;
  WriteQueue writes_;
  Mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  std::thread looker_;
};

}  // namespace aevum::cache
