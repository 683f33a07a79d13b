#include "cache/memcached_cache.h"

#include <algorithm>
#include <map>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "base/duration.h"
#include "cache/memcached_protocol.h"
#include "objstore/parallel.h"

namespace aevum::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr const char* kGet = "getmulti";
constexpr const char* kSet = "set";
constexpr std::chrono::seconds kLookUpTime{10};
// Threads that read from several servers for one request, beside its own.
constexpr std::size_t kReaders = 8;
// Beyond it, what is configured might not be a time any more.
constexpr std::chrono::nanoseconds kLongestTtl = std::chrono::hours(24 * 365);
// An item without a limit of its own.
constexpr std::size_t kMostItemBytes = 128 << 20;

const prometheus::Histogram::BucketBoundaries kSeconds = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                          0.2,   0.5,   1,    3,     6,    10};
const prometheus::Histogram::BucketBoundaries kBytes = {
    32, 256, 512, 1 << 10, 32 << 10, 256 << 10, 512 << 10, 1 << 20, 32 << 20, 256 << 20, 512 << 20};

// As the label `reason` names it.
const char* ReasonOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kDeadlineExceeded:
      return "timeout";
    case StatusCode::kUnavailable:
      return "network-error";
    case StatusCode::kInternal:
      return "server-error";
    default:
      return "other";
  }
}

std::int64_t ExpiryOf(std::chrono::nanoseconds ttl) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now + std::min(ttl, kLongestTtl)).count();
}

}  // namespace

Status MemcachedOptions::Check() const {
  if (addresses.empty()) return InvalidArgument("addresses: no memcached server is given");
  for (const std::string& address : addresses)
    RETURN_IF_ERROR(Annotate(net::DnsAddress::Parse(address).status(), "addresses"));
  if (timeout.count() <= 0) return InvalidArgument("timeout: must be positive");
  if (dns_provider_update_interval.count() <= 0)
    return InvalidArgument("dns_provider_update_interval: must be positive");
  if (max_async_concurrency <= 0)
    return InvalidArgument("max_async_concurrency: must be positive, got {}",
                           max_async_concurrency);
  return OkStatus();
}

// thanos_memcached_*.
struct MemcachedCache::Metrics {
  struct Operation {
    prometheus::Counter* total = nullptr;
    prometheus::Histogram* seconds = nullptr;
    prometheus::Histogram* bytes = nullptr;
  };

  Metrics(std::string client, const MemcachedOptions& options, prometheus::Registry& metrics);
  void Failed(const char* operation, const char* reason) {
    failures->Add({{"name", name}, {"operation", operation}, {"reason", reason}}).Increment();
  }
  void Skipped(const char* operation, const char* reason) {
    skipped->Add({{"name", name}, {"operation", operation}, {"reason", reason}}).Increment();
  }
  void AddDiscovery(prometheus::Registry& metrics);

  const std::string name;
  Operation get, set;
  prometheus::Family<prometheus::Counter>* failures = nullptr;
  prometheus::Family<prometheus::Counter>* skipped = nullptr;
  // Of auto discovery only.
  prometheus::Counter* discoveries = nullptr;
  prometheus::Counter* discovery_failures = nullptr;
  prometheus::Family<prometheus::Gauge>* versions = nullptr;
  prometheus::Family<prometheus::Gauge>* resolved = nullptr;
};

MemcachedCache::Metrics::Metrics(std::string client, const MemcachedOptions& options,
                                 prometheus::Registry& metrics)
    : name(std::move(client)) {
  auto& total = prometheus::BuildCounter()
                    .Name("thanos_memcached_operations_total")
                    .Help("Operations against memcached.")
                    .Register(metrics);
  auto& seconds = prometheus::BuildHistogram()
                      .Name("thanos_memcached_operation_duration_seconds")
                      .Help("How long operations against memcached took.")
                      .Register(metrics);
  auto& bytes = prometheus::BuildHistogram()
                    .Name("thanos_memcached_operation_data_size_bytes")
                    .Help("Bytes that operations stored or fetched.")
                    .Register(metrics);
  failures = &prometheus::BuildCounter()
                  .Name("thanos_memcached_operation_failures_total")
                  .Help("Operations against memcached that failed.")
                  .Register(metrics);
  skipped = &prometheus::BuildCounter()
                 .Name("thanos_memcached_operation_skipped_total")
                 .Help("Operations that memcached was not asked for.")
                 .Register(metrics);
  for (const auto& [operation, to] : {std::pair(kGet, &get), std::pair(kSet, &set)}) {
    const prometheus::Labels labels = {{"name", name}, {"operation", operation}};
    *to = {&total.Add(labels), &seconds.Add(labels, kSeconds), &bytes.Add(labels, kBytes)};
    for (const char* reason :
         {"timeout", "malformed-key", "server-error", "network-error", "other"})
      failures->Add({{"name", name}, {"operation", operation}, {"reason", reason}});
    skipped->Add({{"name", name}, {"operation", operation}, {"reason", "max-item-size"}});
  }
  skipped->Add({{"name", name}, {"operation", kSet}, {"reason", "async-buffer-full"}});
  prometheus::BuildGauge()
      .Name("thanos_memcached_client_info")
      .Help("1, with the options of the client as labels.")
      .Register(metrics)
      .Add({{"name", name},
            {"timeout", FormatGoDuration(options.timeout)},
            {"max_idle_connections", std::to_string(options.max_idle_connections)},
            {"max_async_concurrency", std::to_string(options.max_async_concurrency)},
            {"max_async_buffer_size", std::to_string(options.max_async_buffer_size)},
            {"max_item_size", std::to_string(options.max_item_size)},
            {"max_get_multi_concurrency", std::to_string(options.max_get_multi_concurrency)},
            {"max_get_multi_batch_size", std::to_string(options.max_get_multi_batch_size)},
            {"dns_provider_update_interval",
             FormatGoDuration(options.dns_provider_update_interval)}})
      .Set(1);
  if (options.auto_discovery) AddDiscovery(metrics);
}

void MemcachedCache::Metrics::AddDiscovery(prometheus::Registry& metrics) {
  const std::string prefix = "thanos_memcached_auto_discovery_";
  discoveries = &prometheus::BuildCounter()
                     .Name(prefix + "total")
                     .Help("Questions for the servers of a cluster.")
                     .Register(metrics)
                     .Add({{"name", name}});
  discovery_failures = &prometheus::BuildCounter()
                            .Name(prefix + "failures_total")
                            .Help("Questions for the servers of a cluster that failed.")
                            .Register(metrics)
                            .Add({{"name", name}});
  versions = &prometheus::BuildGauge()
                  .Name(prefix + "config_version")
                  .Help("The version of the cluster's configuration.")
                  .Register(metrics);
  resolved = &prometheus::BuildGauge()
                  .Name(prefix + "resolved_addresses")
                  .Help("The servers that an address knows.")
                  .Register(metrics);
}

MemcachedCache::MemcachedCache(std::string name, MemcachedOptions options, Logger logger,
                               const std::shared_ptr<prometheus::Registry>& metrics,
                               net::DnsOptions dns)
    : name_(std::move(name)),
      options_(std::move(options)),
      logger_(logger.With("cache", name_)),
      metrics_(std::make_unique<Metrics>(name_, options_, *metrics)),
      dns_({.metrics_prefix = "thanos_memcached",
            .metrics_labels = {{"name", name_}},
            .dns = std::move(dns)},
           logger_, metrics),
      connections_(
          [](const Context& context, const std::string& address) {
            return Connection::Dial(context, address, {});
          },
          static_cast<std::size_t>(std::max<std::int64_t>(options_.max_idle_connections, 1))),
      servers_(std::make_shared<const ServerSelector>()),
      breaker_(options_.set_async_circuit_breaker),
      readers_("cache-read", kReaders, 1'000),
      writes_(
          {.threads =
               static_cast<std::size_t>(std::min<std::int64_t>(options_.max_async_concurrency, 64)),
           .max_items =
               static_cast<std::size_t>(std::max<std::int64_t>(options_.max_async_buffer_size, 1))},
          [this](std::vector<CacheWrite> batch) { Write(std::move(batch)); }) {
  if (options_.max_get_multi_concurrency > 0) {
    gate_ =
        std::make_unique<store::Gate>(static_cast<std::size_t>(options_.max_get_multi_concurrency),
                                      "thanos_memcached_getmulti_gate_gets", *metrics, "gets",
                                      std::map<std::string, std::string>{{"name", name_}});
  }
  LookUp();
  looker_ = std::thread([this] { LookUpAgainAndAgain(); });
}

MemcachedCache::~MemcachedCache() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  scope_.Cancel();
  writes_.Stop();
  looker_.join();
  readers_.Stop();
}

void MemcachedCache::LookUpAgainAndAgain() {
  while (true) {
    {
      const auto until =
          Context::Background().WithTimeout(options_.dns_provider_update_interval).deadline();
      MutexLock lock(mutex_);
      while (!stopping_ && SteadyClock::now() < until) lock.WaitUntil(wake_, until);
      if (stopping_) return;
    }
    LookUp();
  }
}

void MemcachedCache::LookUp() {
  const Context context = scope_.context().WithTimeout(kLookUpTime);
  std::vector<std::string> found;
  if (options_.auto_discovery) {
    const Status status = Discover(context, &found);
    if (!status.ok()) logger_.Warn("can't discover memcached servers", {{"err", status}});
  } else {
    dns_.Resolve(context, options_.addresses).IgnoreError();  // it logs, and keeps what it had
    found = dns_.Addresses();
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (found.empty()) {
    if (!context.cancelled()) logger_.Warn("no memcached server is known");
    return;  // those of the last look stay
  }
  connections_.Keep(found);
  servers_.Set(std::make_shared<const ServerSelector>(std::move(found)));
}

Status MemcachedCache::Discover(const Context& context, std::vector<std::string>* servers) {
  Status first_error;
  for (const std::string& address : options_.addresses) {
    metrics_->discoveries->Increment();
    const auto cluster = [&]() -> StatusOr<MemcachedCluster> {
      const Context limited = context.WithTimeout(options_.timeout);
      ASSIGN_OR_RETURN(const auto connection, Connection::Dial(limited, address, {}));
      return MemcachedDiscover(limited, *connection);
    }();
    if (!cluster.ok()) {
      metrics_->discovery_failures->Increment();
      if (first_error.ok()) first_error = Annotate(cluster.status(), address);
      // Without its part all keys would move to other servers.
      const std::vector<std::string>& last = discovered_[address];
      servers->insert(servers->end(), last.begin(), last.end());
      continue;
    }
    const prometheus::Labels labels = {{"name", name_}, {"addr", address}};
    metrics_->versions->Add(labels).Set(static_cast<double>(cluster->version));
    metrics_->resolved->Add(labels).Set(static_cast<double>(cluster->servers.size()));
    servers->insert(servers->end(), cluster->servers.begin(), cluster->servers.end());
    discovered_[address] = cluster->servers;
  }
  return first_error;
}

std::vector<MemcachedCache::Batch> MemcachedCache::Split(const ServerSelector& servers,
                                                         std::span<const std::string> keys) const {
  std::vector<std::vector<std::size_t>> by_server(servers.servers().size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (IsMemcachedKey(keys[i])) {
      by_server[servers.ServerOf(keys[i])].push_back(i);
    } else {
      metrics_->Failed(kGet, "malformed-key");
    }
  }
  const std::size_t most = options_.max_get_multi_batch_size > 0
                               ? static_cast<std::size_t>(options_.max_get_multi_batch_size)
                               : SIZE_MAX;
  std::vector<Batch> batches;
  for (std::size_t server = 0; server < by_server.size(); ++server) {
    const std::vector<std::size_t>& places = by_server[server];
    for (std::size_t first = 0; first < places.size();) {
      const std::size_t count = std::min(most, places.size() - first);
      const auto begin = places.begin() + static_cast<std::ptrdiff_t>(first);
      batches.push_back(
          {servers.servers()[server], {begin, begin + static_cast<std::ptrdiff_t>(count)}});
      first += count;
    }
  }
  return batches;
}

std::vector<SharedBytes> MemcachedCache::Fetch(const Context& context,
                                               std::span<const std::string> keys) {
  std::vector<SharedBytes> items(keys.size());
  const std::shared_ptr<const ServerSelector> servers = servers_.Get();
  if (keys.empty() || servers->servers().empty()) return items;
  const std::vector<Batch> batches = Split(*servers, keys);
  const auto fetch = [&](std::size_t i) {
    FetchBatch(context, keys, batches[i], &items);
    return OkStatus();
  };
  // Cannot fail: what does not come is a miss.
  objstore::RunParallel(&readers_, batches.size(), kReaders + 1, fetch).IgnoreError();
  return items;
}

void MemcachedCache::FetchBatch(const Context& context, std::span<const std::string> keys,
                                const Batch& batch, std::vector<SharedBytes>* items) {
  const auto began = SteadyClock::now();
  metrics_->get.total->Increment();
  std::vector<std::string_view> asked;
  asked.reserve(batch.places.size());
  for (const std::size_t place : batch.places) asked.push_back(keys[place]);
  std::vector<SharedBytes> found;
  const auto ask = [&](const Context& limited, Connection& connection) -> Status {
    const std::size_t limit = options_.max_item_size > 0 ? options_.max_item_size : kMostItemBytes;
    // Another client's items may be larger than ours, within what memcached holds by default.
    ASSIGN_OR_RETURN(found,
                     MemcachedGet(limited, connection, asked,
                                  {.most_item_bytes = std::max<std::size_t>(limit, 1 << 20)}));
    return OkStatus();
  };
  const Status status = [&]() -> Status {
    if (!gate_) return connections_.Run(context, options_.timeout, batch.server, ask);
    // The time at the gate is not the server's.
    store::GatePass pass(*gate_);
    RETURN_IF_ERROR(pass.Enter(context));
    return connections_.Run(context, options_.timeout, batch.server, ask);
  }();
  if (!status.ok()) {
    metrics_->Failed(kGet, ReasonOf(status));
    logger_.Debug("can't fetch from memcached", {{"server", batch.server}, {"err", status}});
    return;
  }
  double bytes = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    bytes += static_cast<double>(found[i].size());
    (*items)[batch.places[i]] = std::move(found[i]);
  }
  metrics_->get.bytes->Observe(bytes);
  metrics_->get.seconds->Observe(std::chrono::duration<double>(SteadyClock::now() - began).count());
}

void MemcachedCache::Store(std::string key, SharedBytes bytes, std::chrono::nanoseconds ttl) {
  if (bytes.empty() || ttl < std::chrono::seconds(1)) return;
  if (options_.max_item_size > 0 && bytes.size() > options_.max_item_size) {
    metrics_->Skipped(kSet, "max-item-size");
    return;
  }
  if (!IsMemcachedKey(key)) {
    metrics_->Failed(kSet, "malformed-key");
    return;
  }
  if (!writes_.Push({std::move(key), std::move(bytes), ttl}))
    metrics_->Skipped(kSet, "async-buffer-full");
}

void MemcachedCache::Write(std::vector<CacheWrite> batch) {
  const std::shared_ptr<const ServerSelector> servers = servers_.Get();
  if (servers->servers().empty()) return;
  std::map<std::size_t, std::vector<const CacheWrite*>> by_server;
  for (const CacheWrite& item : batch) {
    if (breaker_.Enter()) {
      by_server[servers->ServerOf(item.key)].push_back(&item);
    } else {
      metrics_->Failed(kSet, "other");
    }
  }
  for (const auto& [server, items] : by_server) WriteTo(servers->servers()[server], items);
}

void MemcachedCache::WriteTo(const std::string& server,
                             const std::vector<const CacheWrite*>& batch) {
  const auto began = SteadyClock::now();
  std::vector<MemcachedItem> items;
  items.reserve(batch.size());
  for (const CacheWrite* write : batch)
    items.push_back({write->key, write->bytes.view, ExpiryOf(write->ttl)});
  std::vector<Status> results;
  const auto set = [&](const Context& limited, Connection& connection) -> Status {
    ASSIGN_OR_RETURN(results, MemcachedSet(limited, connection, items));
    return OkStatus();
  };
  const Status status = connections_.Run(scope_.context(), options_.timeout, server, set);
  results.resize(items.size(), status);
  if (!status.ok())
    logger_.Debug("can't store in memcached", {{"server", server}, {"err", status}});
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - began).count();
  for (std::size_t i = 0; i < items.size(); ++i) {
    metrics_->set.total->Increment();
    breaker_.Done(results[i].ok());
    if (!results[i].ok()) {
      metrics_->Failed(kSet, ReasonOf(results[i]));
      continue;
    }
    metrics_->set.bytes->Observe(static_cast<double>(items[i].bytes.size()));
    metrics_->set.seconds->Observe(seconds);
  }
}

}  // namespace aevum::cache
