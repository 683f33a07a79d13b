// A cache in Redis that others may share.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/logging.h"
#include "base/thread_pool.h"
#include "cache/cache.h"
#include "cache/circuit_breaker.h"
#include "cache/connection_pool.h"
#include "cache/redis_servers.h"
#include "cache/write_queue.h"
#include "store/gate.h"

namespace prometheus {
class Histogram;
class Registry;
}  // namespace prometheus

namespace aevum::cache {

// The fields of the configuration; see cache/config.h for their names.
struct RedisOptions {
  std::string addr;  // host:port, several with commas
  std::string prefix;
  std::string username;
  std::string password;
  std::string master_name;  // not empty: `addr` are sentinels
  std::int64_t db = 0;
  std::chrono::nanoseconds dial_timeout = std::chrono::seconds(5);
  std::chrono::nanoseconds read_timeout = std::chrono::seconds(3);   // of a batch; 0: none
  std::chrono::nanoseconds write_timeout = std::chrono::seconds(3);  // of a batch; 0: ten seconds
  std::int64_t max_get_multi_concurrency = 100;                      // 0: no limit
  std::int64_t get_multi_batch_size = 100;
  std::int64_t max_set_multi_concurrency = 100;  // 0: no limit
  std::int64_t set_multi_batch_size = 100;
  std::int64_t max_async_buffer_size = 10'000;
  std::int64_t max_async_concurrency = 20;
  bool tls_enabled = false;
  net::tls::ClientConfig tls;
  std::string tls_server_name;
  std::uint64_t cache_size = 0;  // refused unless 0
  CircuitBreakerOptions set_async_circuit_breaker;

  // InvalidArgument names the field that can't be; Unimplemented one that this version lacks.
  Status Check() const;
};

// Keys are stored with the prefix before them. One server is asked with MGET, the nodes of a
// cluster with GETs that go together. Metrics: thanos_redis_*, with the label `name`. Thread-safe;
// has threads for writes and for several exchanges at once.
class RedisCache final : public Cache {
 public:
  // A server that does not answer is no error: everything is a miss meanwhile. InvalidArgument when
  // files of TLS can't be used. The options must have passed Check().
  static StatusOr<std::unique_ptr<RedisCache>> Open(std::string name, RedisOptions options,
                                                    Logger logger, prometheus::Registry& metrics);
  ~RedisCache() override;

  std::vector<SharedBytes> Fetch(const Context& context,
                                 std::span<const std::string> keys) override;
  void Store(std::string key, SharedBytes bytes, std::chrono::nanoseconds ttl) override;

 private:
  struct Batch;
  RedisCache(std::string name, RedisOptions options, Transport transport, Logger logger,
             prometheus::Registry& metrics);

  StatusOr<std::unique_ptr<Connection>> Dial(const Context& context,
                                             const std::string& address) const;
  Status Exchange(const Context& context, std::chrono::nanoseconds timeout, store::Gate* gate,
                  const std::string& server, const ConnectionPool::Exchange& exchange);
  void FetchBatch(const Context& context, const Batch& batch, std::vector<SharedBytes>* items);
  void Write(std::vector<CacheWrite> batch);
  void WriteTo(const std::string& server, const std::vector<const CacheWrite*>& batch);
  // Notes replies by which a server says that another has the key.
  void CheckError(std::string_view error);

  const RedisOptions options_;
  const Transport transport_;
  const Logger logger_;
  prometheus::Histogram& get_seconds_;
  prometheus::Histogram& set_seconds_;
  prometheus::Histogram& set_multi_seconds_;
  std::unique_ptr<store::Gate> get_gate_;
  std::unique_ptr<store::Gate> set_gate_;
  ConnectionPool connections_;
  RedisServers servers_;
  CircuitBreaker breaker_;
  CancelScope scope_{Context::Background()};
  ThreadPool readers_;
  WriteQueue writes_;
};

}  // namespace aevum::cache
