#include "cache/redis_cache.h"

#include <algorithm>
#include <map>
#include <utility>

#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "cache/redis_protocol.h"
#include "objstore/parallel.h"

namespace aevum::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kReaders = 8;
constexpr std::size_t kIdleConnections = 100;
// Commands that go together without waiting for replies: less than sockets buffer.
constexpr std::size_t kMostPipelined = 500;
constexpr std::chrono::seconds kDefaultWriteTime{10};

std::vector<std::string> SplitAddresses(std::string_view text) {
  std::vector<std::string> addresses;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) addresses.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return addresses;
}

RedisServersOptions ServersOf(const RedisOptions& options) {
  return {.addresses = SplitAddresses(options.addr),
          .master_name = options.master_name,
          .timeout = options.dial_timeout};
}

prometheus::Histogram& SecondsOf(const std::string& name, const char* operation,
                                 prometheus::Registry& metrics) {
  return prometheus::BuildHistogram()
      .Name("thanos_redis_operation_duration_seconds")
      .Help("How long operations against Redis took.")
      .Register(metrics)
      .Add({{"name", name}, {"operation", operation}},
           prometheus::Histogram::BucketBoundaries{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5,
                                                   1, 3, 6, 10});
}

std::unique_ptr<store::Gate> GateOf(const std::string& name, std::int64_t most,
                                    const std::string& prefix, const std::string& what,
                                    prometheus::Registry& metrics) {
  if (most <= 0) return nullptr;
  return std::make_unique<store::Gate>(static_cast<std::size_t>(most), prefix, metrics, what,
                                       std::map<std::string, std::string>{{"name", name}});
}

std::size_t BatchOf(std::int64_t size) {
  return size > 0 ? std::min(static_cast<std::size_t>(size), kMostPipelined) : kMostPipelined;
}

Status ReadList(const Context& context, Connection& connection, std::size_t count,
                std::vector<RedisReply>* replies) {
  ASSIGN_OR_RETURN(RedisReply reply, ReadRedisReply(context, connection, {.most_items = count}));
  if (reply.IsError()) return Internal("redis says: {}", reply.text);
  if (reply.list.size() != count)
    return Corruption("redis gives {} items for {} keys", reply.list.size(), count);
  *replies = std::move(reply.list);
  return OkStatus();
}

Status ReadEach(const Context& context, Connection& connection, std::size_t count,
                std::vector<RedisReply>* replies) {
  ASSIGN_OR_RETURN(*replies, ReadRedisReplies(context, connection, count));
  return OkStatus();
}

}  // namespace

// Keys of one exchange, with the prefix, and their places in the request.
struct RedisCache::Batch {
  std::string server;
  std::vector<std::string> keys;
  std::vector<std::size_t> places;
};

Status RedisOptions::Check() const {
  const std::vector<std::string> addresses = SplitAddresses(addr);
  if (addresses.empty()) return InvalidArgument("addr: no redis server is given");
  for (const std::string& address : addresses) {
    if (address.find(':') == std::string::npos)
      return InvalidArgument("addr: \"{}\" has no port", address);
  }
  if (db < 0) return InvalidArgument("db: must not be negative, got {}", db);
  if (dial_timeout.count() <= 0) return InvalidArgument("dial_timeout: must be positive");
  if (max_async_concurrency <= 0)
    return InvalidArgument("max_async_concurrency: must be positive, got {}",
                           max_async_concurrency);
  if (tls.cert.given() != tls.key.given())
    return InvalidArgument("tls_config: cert_file and key_file go together");
  if (cache_size != 0)
    return Unimplemented(
        "cache_size: this version keeps no copies of what is in Redis; leave it 0");
  return OkStatus();
}

StatusOr<std::unique_ptr<RedisCache>> RedisCache::Open(std::string name, RedisOptions options,
                                                       Logger logger,
                                                       prometheus::Registry& metrics) {
  Transport transport;
  if (options.tls_enabled) {
    ASSIGN_OR_RETURN(transport.tls, net::tls::Context::ForClient(options.tls, logger));
    transport.server_name = options.tls_server_name;
  }
  return std::unique_ptr<RedisCache>(new RedisCache(
      std::move(name), std::move(options), std::move(transport), std::move(logger), metrics));
}

RedisCache::RedisCache(std::string name, RedisOptions options, Transport transport, Logger logger,
                       prometheus::Registry& metrics)
    : options_(std::move(options)),
      transport_(std::move(transport)),
      logger_(logger.With("cache", name)),
      get_seconds_(SecondsOf(name, "getmulti", metrics)),
      set_seconds_(SecondsOf(name, "set", metrics)),
      set_multi_seconds_(SecondsOf(name, "setmulti", metrics)),
      get_gate_(GateOf(name, options_.max_get_multi_concurrency, "thanos_redis_getmulti_gate_gets",
                       "gets", metrics)),
      set_gate_(GateOf(name, options_.max_set_multi_concurrency, "thanos_redis_setmulti_gate_sets",
                       "sets", metrics)),
      connections_([this](const Context& context,
                          const std::string& address) { return Dial(context, address); },
                   kIdleConnections),
      servers_(
          ServersOf(options_),
          [this](const Context& context, const std::string& address) {
            return Dial(context, address);
          },
          [this](const std::vector<std::string>& servers) { connections_.Keep(servers); }, logger_),
      breaker_(options_.set_async_circuit_breaker),
      readers_("cache-read", kReaders, 1'000),
      writes_(
          {.threads =
               static_cast<std::size_t>(std::min<std::int64_t>(options_.max_async_concurrency, 64)),
           .max_items =
               static_cast<std::size_t>(std::max<std::int64_t>(options_.max_async_buffer_size, 1)),
           .batch = BatchOf(options_.set_multi_batch_size)},
          [this](std::vector<CacheWrite> batch) { Write(std::move(batch)); }) {}

RedisCache::~RedisCache() {
  scope_.Cancel();
  writes_.Stop();
  readers_.Stop();
}

StatusOr<std::unique_ptr<Connection>> RedisCache::Dial(const Context& context,
                                                       const std::string& address) const {
  const Context limited = context.WithTimeout(options_.dial_timeout);
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
                   Connection::Dial(limited, address, transport_));
  if (!options_.password.empty()) {
    std::vector<std::string_view> login = {"AUTH"};
    if (!options_.username.empty()) login.emplace_back(options_.username);
    login.emplace_back(options_.password);
    RETURN_IF_ERROR(AskRedis(limited, *connection, login).status());
  }
  if (options_.db != 0) {
    const std::string db = std::to_string(options_.db);
    const std::string_view select[] = {"SELECT", db};
    RETURN_IF_ERROR(AskRedis(limited, *connection, select).status());
  }
  return connection;
}

Status RedisCache::Exchange(const Context& context, std::chrono::nanoseconds timeout,
                            store::Gate* gate, const std::string& server,
                            const ConnectionPool::Exchange& exchange) {
  const Status status = [&]() -> Status {
    if (gate == nullptr) return connections_.Run(context, timeout, server, exchange);
    // The time at the gate is not the server's.
    store::GatePass pass(*gate);
    RETURN_IF_ERROR(pass.Enter(context));
    return connections_.Run(context, timeout, server, exchange);
  }();
  if (!status.ok() && context.status().ok()) servers_.Doubt();
  return status;
}

std::vector<SharedBytes> RedisCache::Fetch(const Context& context,
                                           std::span<const std::string> keys) {
  std::vector<SharedBytes> items(keys.size());
  if (keys.empty()) return items;
  const auto began = SteadyClock::now();
  std::vector<Batch> batches;
  std::map<std::string, std::size_t> open;  // the batch of a server that has room
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::string key = options_.prefix + keys[i];
    const std::string server = servers_.ServerOf(key);
    if (server.empty()) {
      servers_.Doubt();
      continue;
    }
    const auto [at, added] = open.try_emplace(server, batches.size());
    if (!added && batches[at->second].keys.size() >= BatchOf(options_.get_multi_batch_size))
      at->second = batches.size();
    if (at->second == batches.size()) batches.push_back({server, {}, {}});
    batches[at->second].keys.push_back(std::move(key));
    batches[at->second].places.push_back(i);
  }
  const auto fetch = [&](std::size_t i) {
    FetchBatch(context, batches[i], &items);
    return OkStatus();
  };
  // Cannot fail: what does not come is a miss.
  objstore::RunParallel(&readers_, batches.size(), kReaders + 1, fetch).IgnoreError();
  get_seconds_.Observe(std::chrono::duration<double>(SteadyClock::now() - began).count());
  return items;
}

void RedisCache::FetchBatch(const Context& context, const Batch& batch,
                            std::vector<SharedBytes>* items) {
  const bool each = servers_.IsCluster();
  std::string request;
  if (each) {
    for (const std::string& key : batch.keys) {
      const std::string_view get[] = {"GET", key};
      AppendRedisCommand(request, get);
    }
  } else {
    std::vector<std::string_view> get = {"MGET"};
    get.insert(get.end(), batch.keys.begin(), batch.keys.end());
    AppendRedisCommand(request, get);
  }
  std::vector<RedisReply> replies;
  const auto ask = [&](const Context& limited, Connection& connection) -> Status {
    RETURN_IF_ERROR(connection.Write(limited, request));
    return each ? ReadEach(limited, connection, batch.keys.size(), &replies)
                : ReadList(limited, connection, batch.keys.size(), &replies);
  };
  const auto timeout =
      options_.read_timeout.count() > 0 ? options_.read_timeout : std::chrono::nanoseconds::max();
  const Status status = Exchange(context, timeout, get_gate_.get(), batch.server, ask);
  if (!status.ok()) {
    logger_.Debug("can't fetch from redis", {{"server", batch.server}, {"err", status}});
    return;
  }
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].IsError()) CheckError(replies[i].text);
    if (replies[i].kind == RedisReply::Kind::kText)
      (*items)[batch.places[i]] = SharedBytes::Own(std::move(replies[i].text));
  }
}

void RedisCache::CheckError(std::string_view error) {
  for (const char* const start : {"MOVED ", "ASK ", "READONLY", "CLUSTERDOWN"}) {
    if (error.starts_with(start)) servers_.Doubt();
  }
}

void RedisCache::Store(std::string key, SharedBytes bytes, std::chrono::nanoseconds ttl) {
  if (bytes.empty() || ttl < std::chrono::seconds(1)) return;
  if (!writes_.Push({options_.prefix + key, std::move(bytes), ttl}))
    logger_.Debug("an item is not stored in redis: too many wait");
}

void RedisCache::Write(std::vector<CacheWrite> batch) {
  std::map<std::string, std::vector<const CacheWrite*>> by_server;
  for (const CacheWrite& item : batch) {
    const std::string server = servers_.ServerOf(item.key);
    if (!server.empty() && breaker_.Enter()) by_server[server].push_back(&item);
  }
  for (const auto& [server, items] : by_server) WriteTo(server, items);
}

void RedisCache::WriteTo(const std::string& server, const std::vector<const CacheWrite*>& batch) {
  const auto timeout = options_.write_timeout.count() > 0
                           ? options_.write_timeout
                           : std::chrono::nanoseconds(kDefaultWriteTime);
  const auto began = SteadyClock::now();
  std::string request;
  for (const CacheWrite* item : batch) {
    const std::string seconds =
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(item->ttl).count());
    const std::string_view set[] = {"SET", item->key, item->bytes.view, "EX", seconds};
    AppendRedisCommand(request, set);
  }
  std::vector<RedisReply> replies;
  const auto ask = [&](const Context& limited, Connection& connection) -> Status {
    RETURN_IF_ERROR(connection.Write(limited, request));
    return ReadEach(limited, connection, batch.size(), &replies);
  };
  const Status status = Exchange(scope_.context(), timeout, set_gate_.get(), server, ask);
  if (!status.ok()) logger_.Debug("can't store in redis", {{"server", server}, {"err", status}});
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const bool stored = status.ok() && !replies[i].IsError();
    breaker_.Done(stored);
    if (status.ok() && !stored) CheckError(replies[i].text);
  }
  prometheus::Histogram& seconds = batch.size() > 1 ? set_multi_seconds_ : set_seconds_;
  if (status.ok())
    seconds.Observe(std::chrono::duration<double>(SteadyClock::now() - began).count());
}

}  // namespace aevum::cache
