#include "query/endpoint_set.h"

#include <algorithm>
#include <latch>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include "base/files.h"
#include "query/distribution.h"
#include "query/info_check.h"
#include "store/grpc_client.h"

namespace aevum::query {
namespace {

// They wait for the network; more endpoints that hang than that keep the others waiting.
constexpr std::size_t kAskThreads = 64;
constexpr std::size_t kAskQueue = 100'000;
constexpr Nanoseconds kMostLookUp = std::chrono::seconds(30);

bool SameClient(const ClientConfig& a, const ClientConfig& b) {
  return a.compression == b.compression && a.tls.enabled == b.tls.enabled &&
         a.tls.insecure_skip_verify == b.tls.insecure_skip_verify &&
         a.tls.cert_file == b.tls.cert_file && a.tls.key_file == b.tls.key_file &&
         a.tls.ca_file == b.tls.ca_file && a.tls.server_name == b.tls.server_name &&
         a.tls.min_version == b.tls.min_version;
}

// What members of a group that may lag behind each other hold together.
void JoinInfo(const wire::InfoResponse& info, std::optional<wire::InfoResponse>* joined) {
  if (!*joined) {
    *joined = info;
    return;
  }
  wire::InfoResponse& all = **joined;
  for (const model::Labels& set : info.label_sets) {
    if (std::find(all.label_sets.begin(), all.label_sets.end(), set) == all.label_sets.end())
      all.label_sets.push_back(set);
  }
  all.query = all.query && info.query;
  if (!info.store) return;
  if (!all.store) {
    all.store = info.store;
    return;
  }
  all.store->min_time = std::min(all.store->min_time, info.store->min_time);
  all.store->max_time = std::max(all.store->max_time, info.store->max_time);
  all.store->supports_sharding &= info.store->supports_sharding;
  all.store->supports_without_replica_labels &= info.store->supports_without_replica_labels;
}

net::grpc::ChannelOptions ChannelOf(const std::string& address, const ClientConfig& client) {
  net::grpc::ChannelOptions options;
  options.address = address;
  options.tls = client.tls;
  options.compression = client.compression;
  return options;
}

}  // namespace

// A server: an endpoint of its own, or one of a group.
struct EndpointSet::Member {
  Member(std::string a, std::shared_ptr<net::grpc::Channel> c)
      : address(std::move(a)),
        channel(std::move(c)),
        store(std::make_shared<store::GrpcStore>(channel)) {}

  const std::string address;
  const std::shared_ptr<net::grpc::Channel> channel;
  const std::shared_ptr<store::Store> store;
  Mutex mutex;
  StatusOr<wire::InfoResponse> info AEVUM_GUARDED_BY(mutex) = Unavailable("not asked yet");
  std::vector<std::string> complaints AEVUM_GUARDED_BY(mutex);  // about what it last said
};

// What is asked in a query. The members are of the refresh thread.
struct EndpointSet::Endpoint {
  explicit Endpoint(EndpointSpec s) : spec(std::move(s)) {}

  const EndpointSpec spec;
  std::vector<std::shared_ptr<Member>> members;  // exactly one, but for groups
  std::shared_ptr<store::GroupStore> group;      // null for one server
  Mutex mutex;
  wire::InfoResponse info AEVUM_GUARDED_BY(mutex);
  bool healthy AEVUM_GUARDED_BY(mutex) = false;
  bool ever_healthy AEVUM_GUARDED_BY(mutex) = false;
  TimestampMs last_check AEVUM_GUARDED_BY(mutex) = 0;
  TimestampMs last_healthy AEVUM_GUARDED_BY(mutex) = 0;
  std::optional<std::string> last_error AEVUM_GUARDED_BY(mutex);
  std::shared_ptr<net::grpc::Channel> channel AEVUM_GUARDED_BY(mutex);  // to one that answers

  // Whether it has been silent for so long that it is no longer shown.
  bool IsTimedOut(TimestampMs now, Nanoseconds timeout) const AEVUM_REQUIRES(mutex) {
    return !healthy && now - last_healthy > timeout.count() / 1'000'000;
  }

  std::shared_ptr<store::Store> store() const {
    if (group) return group;
    return members.front()->store;
  }
};

EndpointSet::EndpointSet(EndpointOptions options, net::grpc::ClientRuntime& runtime, Logger logger,
                         std::shared_ptr<prometheus::Registry> metrics, const Clock& clock)
    : options_(std::move(options)),
      runtime_(runtime),
      logger_(std::move(logger)),
      clock_(clock),
      resolver_({.metrics_prefix = "thanos_query_endpoints",
                 .metrics_old_prefix = "thanos_query_store_apis",
                 .dns = options_.dns},
                logger_, metrics),
      group_resolver_({.metrics_prefix = "thanos_query_endpoint_groups", .dns = options_.dns},
                      logger_, metrics),
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
      groups_(options_.group, *metrics),
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
  const Nanoseconds interval =
      options_.info_interval.count() > 0 ? options_.info_interval : options_.info_timeout;
  while (true) {
    const auto began = Context::TimePoint::clock::now();
    Discover();
    AddAndRemove(Resolve());
    AskAll();
    Publish();
    if (on_first_refresh) std::exchange(on_first_refresh, nullptr)();
    MutexLock lock(mutex_);
    while (!stopping_ && Context::TimePoint::clock::now() < began + interval) {
      lock.WaitUntil(wake_, began + interval);
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

void EndpointSet::LookUp(const std::vector<EndpointSpec>& specs) {
  const auto now = Context::TimePoint::clock::now();
  if (now < next_dns_ || looking_up_.exchange(true)) return;
  next_dns_ = now + options_.dns_interval;
  std::vector<std::string> names;
  std::vector<std::string> group_names;
  for (const EndpointSpec& spec : specs) {
    if (spec.group) {
      group_names.push_back(spec.address);
    } else if (spec.dynamic()) {
      names.push_back(spec.address);
    }
  }
  const auto look_up = [this, names, group_names] {
    // It may take longer than the interval: then the next one is late.
    const Context context =
        running_.context().WithTimeout(std::max(options_.dns_interval, kMostLookUp));
    for (const Status& status :
         {resolver_.Resolve(context, names), group_resolver_.Resolve(context, group_names)}) {
      if (!status.ok())
        logger_.Error("failed to resolve addresses of endpoints", {{"err", status}});
    }
    looking_up_ = false;
  };
  // A DNS server that does not answer must not keep the others from being asked what they are.
  if (std::exchange(looked_up_, true) && pool_->Submit(look_up)) return;
  look_up();
}

// The endpoints with DNS schemes replaced by the addresses behind them, but for groups.
std::vector<EndpointSpec> EndpointSet::Resolve() {
  std::vector<EndpointSpec> all = options_.endpoints;
  all.insert(all.end(), configured_.begin(), configured_.end());
  for (const std::string& address : files_.Addresses()) {
    EndpointSpec spec;
    spec.address = address;
    spec.client = spec.common = options_.default_client;
    all.push_back(std::move(spec));
  }
  LookUp(all);
  std::vector<EndpointSpec> resolved;
  for (const EndpointSpec& spec : all) {
    if (spec.group || !spec.dynamic()) {
      resolved.push_back(spec);
      continue;
    }
    for (const std::string& address : resolver_.AddressesOf(spec.address)) {
      EndpointSpec one = spec;
      one.address = address;
      one.client = spec.common;
      resolved.push_back(std::move(one));
    }
  }
  return resolved;
}

std::shared_ptr<EndpointSet::Endpoint> EndpointSet::MakeEndpoint(const EndpointSpec& spec,
                                                                 const std::string& name) {
  {
    MutexLock lock(mutex_);
    const auto known = endpoints_.find(name);
    if (known != endpoints_.end() && known->second->spec.strict == spec.strict &&
        SameClient(known->second->spec.client, spec.client))
      return known->second;
  }
  auto endpoint = std::make_shared<Endpoint>(spec);
  if (spec.group) {
    endpoint->group = std::make_shared<store::GroupStore>(groups_);
  } else {
    endpoint->members.push_back(std::make_shared<Member>(
        spec.address,
        std::make_shared<net::grpc::Channel>(runtime_, ChannelOf(spec.address, spec.client))));
  }
  return endpoint;
}

void EndpointSet::UpdateMembers(Endpoint& endpoint) {
  std::vector<std::string> addresses = group_resolver_.AddressesOf(endpoint.spec.address);
  addresses.insert(addresses.end(), options_.extra_addresses.begin(),
                   options_.extra_addresses.end());
  std::vector<std::shared_ptr<Member>> members;
  for (const std::string& address : addresses) {
    const auto known = std::find_if(endpoint.members.begin(), endpoint.members.end(),
                                    [&](const auto& member) { return member->address == address; });
    members.push_back(known != endpoint.members.end()
                          ? *known
                          : std::make_shared<Member>(
                                address, std::make_shared<net::grpc::Channel>(
                                             runtime_, ChannelOf(address, endpoint.spec.client))));
  }
  endpoint.members = std::move(members);
}

void EndpointSet::AddAndRemove(const std::vector<EndpointSpec>& specs) {
  Endpoints next;
  for (const EndpointSpec& spec : specs) {
    const std::string name = spec.group ? "thanos:///" + spec.address : spec.address;
    if (next.contains(name)) {
      duplicates_->Increment();
      logger_.Warn("duplicate address of an endpoint; the later one counts", {{"addr", name}});
    }
    next[name] = MakeEndpoint(spec, name);
    if (spec.group) UpdateMembers(*next[name]);
  }
  MutexLock lock(mutex_);
  for (const auto& [address, endpoint] : endpoints_) {
    if (!next.contains(address))
      logger_.Info("removing endpoint that is no longer configured", {{"address", address}});
  }
  endpoints_.swap(next);
}

void EndpointSet::AskAll() {
  Endpoints endpoints;
  std::size_t count = 0;
  {
    MutexLock lock(mutex_);
    endpoints = endpoints_;
  }
  for (const auto& [name, endpoint] : endpoints) count += endpoint->members.size();
  std::latch asked(static_cast<std::ptrdiff_t>(count));
  for (const auto& [name, endpoint] : endpoints) {
    for (const auto& member : endpoint->members) {
      const bool submitted = pool_->Submit([this, &asked, member] {
        Ask(*member);
        asked.count_down();
      });
      if (!submitted) asked.count_down();
    }
  }
  asked.wait();
  for (const auto& [name, endpoint] : endpoints) Conclude(name, *endpoint);
}

void EndpointSet::Ask(Member& member) const {
  auto info = member.store->Info(running_.context().WithTimeout(options_.info_timeout));
  std::vector<std::string> complaints;
  if (info.ok()) {
    if (const Status status = CheckInfo(&*info, &complaints); !status.ok()) info = status;
  }
  MutexLock lock(member.mutex);
  member.info = std::move(info);
  if (complaints == member.complaints) return;
  member.complaints = std::move(complaints);
  for (const std::string& complaint : member.complaints)
    logger_.Warn("endpoint says what can't be right",
                 {{"address", member.address}, {"err", std::string_view(complaint)}});
}

// What an endpoint is after what its members have said.
void EndpointSet::Conclude(const std::string& name, Endpoint& endpoint) {
  std::vector<store::GroupMember> members;
  std::optional<wire::InfoResponse> joined;
  std::shared_ptr<net::grpc::Channel> channel;
  Status error = Unavailable("the name of the group has no addresses");
  for (const auto& member : endpoint.members) {
    MutexLock lock(member->mutex);
    members.push_back(
        {.address = member->address, .store = member->store, .healthy = member->info.ok()});
    if (!member->info.ok()) {
      error = member->info.status();
      continue;
    }
    if (!channel) channel = member->channel;
    JoinInfo(*member->info, &joined);
  }
  if (endpoint.group) endpoint.group->SetMembers(std::move(members));
  MutexLock lock(endpoint.mutex);
  const bool was_healthy = endpoint.healthy;
  const bool first = endpoint.last_check == 0;
  endpoint.last_check = clock_.NowMs();
  endpoint.healthy = joined.has_value();
  endpoint.channel = std::move(channel);
  if (!joined) {
    endpoint.last_error = std::string(error.message());
    if (was_healthy || first) {
      logger_.Warn("update of endpoint failed",
                   {{"err", fmt::format("getting metadata: fallback fetching info from {}: {}",
                                        name, error.ToString())},
                    {"address", name}});
    }
    return;
  }
  endpoint.info = *std::move(joined);
  endpoint.last_error.reset();
  endpoint.last_healthy = endpoint.last_check;
  endpoint.ever_healthy = true;
  if (!was_healthy) {
    logger_.Info(fmt::format("adding new {} with [{}{}]", endpoint.info.component_type,
                             endpoint.info.store ? "storeEndpoints" : "",
                             endpoint.info.query ? " queryAPI" : ""),
                 {{"address", name}, {"extLset", LabelSetsText(endpoint.info.label_sets)}});
  }
}

void EndpointSet::Publish() {
  const TimestampMs now = clock_.NowMs();
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
    const bool lost = !used && !endpoint->healthy && endpoint->ever_healthy &&
                      endpoint->info.store &&
                      !endpoint->IsTimedOut(now, options_.unhealthy_timeout);
    if (!used && !lost) continue;
    auto label_sets = Select(endpoint->info.label_sets);
    if (!label_sets) continue;
    store::StoreClient client;
    client.store = endpoint->store();
    if (lost) client.lost = "it does not answer: " + endpoint->last_error.value_or("");
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
    if (lost) {
      stores->push_back(std::move(client));
      continue;
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
    const bool timed_out = endpoint->IsTimedOut(now, options_.unhealthy_timeout);
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
