#include "query/endpoint_set.h"

#include <algorithm>
#include <latch>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "query/distribution.h"
#include "store/grpc_client.h"

namespace aevum::query {
namespace {

constexpr std::size_t kAskThreads = 16;
constexpr std::size_t kAskQueue = 100'000;

std::string LabelSetsText(const std::vector<model::Labels>& sets) {
  std::string text;
  for (const model::Labels& labels : sets) {
    if (!text.empty()) text += ",";
    text += labels.ToString();
  }
  return text;
}

bool SameClient(const ClientConfig& a, const ClientConfig& b) {
  return a.compression == b.compression && a.tls.enabled == b.tls.enabled &&
         a.tls.insecure_skip_verify == b.tls.insecure_skip_verify &&
         a.tls.cert_file == b.tls.cert_file && a.tls.key_file == b.tls.key_file &&
         a.tls.ca_file == b.tls.ca_file && a.tls.server_name == b.tls.server_name &&
         a.tls.min_version == b.tls.min_version;
}

net::grpc::ChannelOptions ChannelOf(const std::string& address, const ClientConfig& client) {
  net::grpc::ChannelOptions options;
  options.address = address;
  options.tls = client.tls;
  options.compression = client.compression;
  return options;
}

}  // namespace

struct EndpointSet::Endpoint {
  Endpoint(EndpointSpec s, std::shared_ptr<net::grpc::Channel> c)
      : spec(std::move(s)),
        channel(std::move(c)),
        store(std::make_shared<store::GrpcStore>(channel)) {}

  const EndpointSpec spec;
  const std::shared_ptr<net::grpc::Channel> channel;
  const std::shared_ptr<store::Store> store;
  Mutex mutex;
  wire::InfoResponse info AEVUM_GUARDED_BY(mutex);
  bool healthy AEVUM_GUARDED_BY(mutex) = false;
  bool ever_healthy AEVUM_GUARDED_BY(mutex) = false;
  TimestampMs last_check AEVUM_GUARDED_BY(mutex) = 0;
  TimestampMs last_healthy AEVUM_GUARDED_BY(mutex) = 0;
  std::optional<std::string> last_error AEVUM_GUARDED_BY(mutex);
};

EndpointSet::EndpointSet(EndpointOptions options, net::grpc::ClientRuntime& runtime, Logger logger,
                         std::shared_ptr<prometheus::Registry> metrics, const Clock& clock)
    : options_(std::move(options)),
      runtime_(runtime),
      logger_(std::move(logger)),
      clock_(clock),
      resolver_({.metrics_prefix = "thanos_query_endpoints"}, logger_, metrics),
      files_(options_.sd_files, logger_),
      duplicates_(&prometheus::BuildCounter()
                       .Name("thanos_query_duplicated_endpoint_addresses_total")
                       .Help("The number of times a duplicated endpoint address is detected.")
                       .Register(*metrics)
                       .Add({})),
      connections_(&prometheus::BuildGauge()
                        .Name("thanos_store_nodes_grpc_connections")
                        .Help("Number of gRPC connection to Store APIs.")
                        .Register(*metrics)),
      stores_(std::make_shared<const store::StoreClients>()),
      queriers_(std::make_shared<const QueryEndpoints>()),
      services_(std::make_shared<const ServiceEndpoints>()) {}

EndpointSet::~EndpointSet() { Stop(); }

Status EndpointSet::Start(std::function<void()> on_first_refresh) {
  for (const EndpointSpec& endpoint : options_.endpoints) RETURN_IF_ERROR(CheckEndpoint(endpoint));
  for (const std::string& pattern : options_.sd_files)
    RETURN_IF_ERROR(net::FileDiscovery::CheckPattern(pattern));
  RETURN_IF_ERROR(ReadConfig(&configured_));
  next_config_ = Context::TimePoint::clock::now() + options_.sd_config_interval;
  pool_ = std::make_unique<ThreadPool>("endpoints", kAskThreads, kAskQueue);
  thread_ =
      std::thread([this, done = std::move(on_first_refresh)]() mutable { Run(std::move(done)); });
  return OkStatus();
}

void EndpointSet::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  running_.Cancel();
  if (thread_.joinable()) thread_.join();
  if (pool_) pool_->Stop();
}

Status EndpointSet::ReadConfig(std::vector<EndpointSpec>* specs) const {
  std::string yaml = options_.sd_config;
  if (!options_.sd_config_file.empty()) {
    auto text = ReadFile(options_.sd_config_file);
    if (!text.ok()) return Annotate(text.status(), "endpoint.sd-config-file");
    yaml = *std::move(text);
  }
  ASSIGN_OR_RETURN(*specs, ParseEndpointConfig(yaml, options_.default_client));
  return OkStatus();
}

void EndpointSet::Run(std::function<void()> on_first_refresh) {
  while (true) {
    const auto began = Context::TimePoint::clock::now();
    Discover();
    AddAndRemove(Resolve());
    AskAll();
    Publish();
    if (on_first_refresh) std::exchange(on_first_refresh, nullptr)();
    MutexLock lock(mutex_);
    while (!stopping_ && Context::TimePoint::clock::now() < began + options_.info_timeout) {
      lock.WaitUntil(wake_, began + options_.info_timeout);
    }
    if (stopping_) return;
  }
}

// Reads again what is due: the configuration file, files of addresses.
void EndpointSet::Discover() {
  const auto now = Context::TimePoint::clock::now();
  if (!options_.sd_config_file.empty() && now >= next_config_) {
    next_config_ = now + options_.sd_config_interval;
    std::vector<EndpointSpec> specs;
    if (const Status status = ReadConfig(&specs); status.ok()) {
      configured_ = std::move(specs);
    } else {
      logger_.Error("failed to read the endpoint configuration again; the last one stays",
                    {{"err", status}});
    }
  }
  if (now >= next_files_) {
    next_files_ = now + options_.sd_interval;
    files_.Refresh();
  }
}

// The endpoints with DNS schemes replaced by the addresses behind them.
std::vector<EndpointSpec> EndpointSet::Resolve() {
  std::vector<EndpointSpec> all = options_.endpoints;
  all.insert(all.end(), configured_.begin(), configured_.end());
  for (const std::string& address : files_.Addresses()) {
    EndpointSpec spec;
    spec.address = address;
    spec.client = options_.default_client;
    all.push_back(std::move(spec));
  }
  std::vector<std::string> names;
  for (const EndpointSpec& spec : all) {
    if (!spec.strict) names.push_back(spec.address);
  }
  const auto now = Context::TimePoint::clock::now();
  if (now >= next_dns_) {
    next_dns_ = now + options_.dns_interval;
    if (const Status status = resolver_.Resolve(running_.context(), names); !status.ok()) {
      logger_.Error("failed to resolve addresses of endpoints", {{"err", status}});
    }
  }
  std::vector<EndpointSpec> resolved;
  for (const EndpointSpec& spec : all) {
    if (spec.address.find('+') == std::string::npos) {
      resolved.push_back(spec);
      continue;
    }
    for (const std::string& address : resolver_.AddressesOf(spec.address)) {
      EndpointSpec one = spec;
      one.address = address;
      // What stands behind DNS uses the common client settings.
      one.client = options_.default_client;
      resolved.push_back(std::move(one));
    }
  }
  return resolved;
}

void EndpointSet::AddAndRemove(const std::vector<EndpointSpec>& specs) {
  Endpoints next;
  MutexLock lock(mutex_);
  for (const EndpointSpec& spec : specs) {
    if (next.contains(spec.address)) {
      duplicates_->Increment();
      logger_.Warn("duplicate address of an endpoint; the later one counts",
                   {{"addr", spec.address}});
    }
    const auto known = endpoints_.find(spec.address);
    if (known != endpoints_.end() && known->second->spec.strict == spec.strict &&
        SameClient(known->second->spec.client, spec.client)) {
      next[spec.address] = known->second;
    } else {
      next[spec.address] = std::make_shared<Endpoint>(
          spec,
          std::make_shared<net::grpc::Channel>(runtime_, ChannelOf(spec.address, spec.client)));
    }
  }
  for (const auto& [address, endpoint] : endpoints_) {
    if (!next.contains(address))
      logger_.Info("removing endpoint that is no longer configured", {{"address", address}});
  }
  endpoints_.swap(next);
}

void EndpointSet::AskAll() {
  Endpoints endpoints;
  {
    MutexLock lock(mutex_);
    endpoints = endpoints_;
  }
  std::latch asked(static_cast<std::ptrdiff_t>(endpoints.size()));
  for (const auto& [address, endpoint] : endpoints) {
    const bool submitted = pool_->Submit([this, &asked, address, endpoint] {
      Ask(address, *endpoint);
      asked.count_down();
    });
    if (!submitted) asked.count_down();
  }
  asked.wait();
}

void EndpointSet::Ask(const std::string& address, Endpoint& endpoint) {
  auto info = endpoint.store->Info(running_.context().WithTimeout(options_.info_timeout));
  const TimestampMs now = clock_.NowMs();
  MutexLock lock(endpoint.mutex);
  const bool was_healthy = endpoint.healthy;
  const bool first = endpoint.last_check == 0;
  endpoint.last_check = now;
  endpoint.healthy = info.ok();
  if (!info.ok()) {
    endpoint.last_error = std::string(info.status().message());
    if (was_healthy || first) {
      logger_.Warn("update of endpoint failed",
                   {{"err", fmt::format("getting metadata: fallback fetching info from {}: {}",
                                        address, info.status().ToString())},
                    {"address", address}});
    }
    return;
  }
  endpoint.info = *std::move(info);
  endpoint.last_error.reset();
  endpoint.last_healthy = now;
  endpoint.ever_healthy = true;
  if (!was_healthy) {
    logger_.Info(fmt::format("adding new {} with [{}{}]", endpoint.info.component_type,
                             endpoint.info.store ? "storeEndpoints" : "",
                             endpoint.info.query ? " queryAPI" : ""),
                 {{"address", address}, {"extLset", LabelSetsText(endpoint.info.label_sets)}});
  }
}

void EndpointSet::Publish() {
  auto stores = std::make_shared<store::StoreClients>();
  auto queriers = std::make_shared<QueryEndpoints>();
  auto services = std::make_shared<ServiceEndpoints>();
  Endpoints endpoints;
  {
    MutexLock lock(mutex_);
    endpoints = endpoints_;
  }
  for (const auto& [address, endpoint] : endpoints) {
    MutexLock lock(endpoint->mutex);
    if (endpoint->healthy || endpoint->spec.strict) {
      services->push_back(
          {.address = address, .channel = endpoint->channel, .info = endpoint->info});
    }
    const bool used = endpoint->healthy ? endpoint->info.store.has_value() : endpoint->spec.strict;
    if (!used) continue;
    auto label_sets = Select(endpoint->info.label_sets);
    if (!label_sets) continue;
    store::StoreClient client;
    client.store = endpoint->store;
    client.address = address;
    client.strict = endpoint->spec.strict;
    client.label_sets = *std::move(label_sets);
    if (endpoint->info.store) {
      const wire::StoreInfo& info = *endpoint->info.store;
      client.min_time = info.min_time;
      client.max_time = info.max_time;
      client.supports_sharding = info.supports_sharding;
      client.supports_without_replica_labels = info.supports_without_replica_labels;
      client.tsdb_infos = info.tsdb_infos;
    }
    if (endpoint->healthy && endpoint->info.query) {
      queriers->queriers.push_back({.store = client,
                                    .channel = endpoint->channel,
                                    .external_labels = ExternalLabelsOf(endpoint->info)});
    } else {
      queriers->others.push_back(client);
    }
    stores->push_back(std::move(client));
  }
  stores_.Set(std::move(stores));
  queriers_.Set(std::move(queriers));
  services_.Set(std::move(services));
  CountConnections(endpoints);
}

std::optional<std::vector<model::Labels>> EndpointSet::Select(
    const std::vector<model::Labels>& label_sets) const {
  if (options_.selector.empty() || label_sets.empty()) return label_sets;
  std::vector<model::Labels> kept;
  for (const model::Labels& labels : label_sets) {
    if (options_.selector.Process(labels)) kept.push_back(labels);
  }
  if (kept.empty()) return std::nullopt;
  return kept;
}

void EndpointSet::CountConnections(const Endpoints& endpoints) {
  std::map<std::map<std::string, std::string>, int> counts;
  for (const auto& [address, endpoint] : endpoints) {
    MutexLock lock(endpoint->mutex);
    if (!endpoint->healthy) continue;
    std::map<std::string, std::string> labels;
    for (const std::string& label : options_.metric_labels) {
      if (label == "external_labels") labels[label] = LabelSetsText(endpoint->info.label_sets);
      if (label == "store_type") labels[label] = endpoint->info.component_type;
      if (label == "ip_port") labels[label] = address;
    }
    ++counts[labels];
  }
  for (auto it = connection_gauges_.begin(); it != connection_gauges_.end();) {
    if (counts.contains(it->first)) {
      ++it;
    } else {
      connections_->Remove(it->second);
      it = connection_gauges_.erase(it);
    }
  }
  for (const auto& [labels, count] : counts) {
    prometheus::Gauge*& gauge = connection_gauges_[labels];
    if (gauge == nullptr) gauge = &connections_->Add(labels);
    gauge->Set(count);
  }
}

std::vector<EndpointStatus> EndpointSet::Statuses() const {
  std::vector<EndpointStatus> statuses;
  const TimestampMs now = clock_.NowMs();
  MutexLock lock(mutex_);
  for (const auto& [address, endpoint] : endpoints_) {
    MutexLock endpoint_lock(endpoint->mutex);
    const std::int64_t silent_ms = now - endpoint->last_healthy;
    const bool timed_out =
        !endpoint->healthy && silent_ms > options_.unhealthy_timeout.count() / 1'000'000;
    if (!endpoint->spec.strict && (timed_out || !endpoint->ever_healthy)) continue;
    auto label_sets = Select(endpoint->info.label_sets);
    if (!label_sets) continue;
    EndpointStatus status;
    status.name = address;
    status.component_type = endpoint->info.component_type;
    status.last_check = endpoint->last_check;
    status.last_error = endpoint->last_error;
    status.label_sets = *std::move(label_sets);
    if (endpoint->info.store) {
      status.min_time = endpoint->info.store->min_time;
      status.max_time = endpoint->info.store->max_time;
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

}  // namespace aevum::query
