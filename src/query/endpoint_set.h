// The endpoints of a querier: found, asked for what they are, dropped when they are gone.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/duration.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "model/relabel.h"
#include "net/discovery/dns.h"
#include "net/discovery/file_sd.h"
#include "net/grpc/client.h"
#include "query/endpoint_config.h"
#include "store/group.h"
#include "store/proxy.h"

namespace prometheus {
class Counter;
class Gauge;
template <typename T>
class Family;
class Registry;
}  // namespace prometheus

namespace aevum::query {

struct EndpointOptions {
  std::vector<EndpointSpec> endpoints;                 // of --endpoint and its kin
  ClientConfig default_client;                         // of files and of the configuration
  std::string sd_config;                               // YAML, "" for none
  std::string sd_config_file;                          // read again each sd_config_interval
  std::vector<std::string> sd_files;                   // patterns of files with addresses
  Nanoseconds info_timeout = std::chrono::seconds(5);  // of a question for Info
  Nanoseconds info_interval{0};                        // between them; 0: as the timeout
  Nanoseconds unhealthy_timeout = std::chrono::minutes(5);
  Nanoseconds dns_interval = std::chrono::seconds(30);
  Nanoseconds sd_interval = std::chrono::minutes(5);
  Nanoseconds sd_config_interval = std::chrono::minutes(5);
  model::Relabeler selector;  // drops stores by their external labels, --selector.relabel-config
  std::vector<std::string> metric_labels = {"external_labels", "store_type"};
  net::DnsOptions dns = {};                       // which DNS servers are asked
  store::GroupOptions group = {};                 // how members of a group are hedged
  std::vector<std::string> extra_addresses = {};  // members of every group, for tests of its users
};

// What /api/v1/stores shows of one endpoint.
struct EndpointStatus {
  std::string name;
  std::string component_type;  // "" when it never said
  TimestampMs last_check = 0;
  std::optional<std::string> last_error;
  std::vector<model::Labels> label_sets;
  TimestampMs min_time = 0;
  TimestampMs max_time = 0;
};

// An endpoint that answers PromQL, thanos.Query.
struct QueryEndpoint {
  store::StoreClient store;  // the same as a store
  std::shared_ptr<net::grpc::Channel> channel;
  std::vector<model::Labels> external_labels;  // see ExternalLabelsOf
};

// The endpoints that are used, each in one of the lists.
struct QueryEndpoints {
  std::vector<QueryEndpoint> queriers;
  store::StoreClients others;  // stores that only give series
};

// An endpoint that is used, with what it last said of itself: the services that it offers.
struct ServiceEndpoint {
  std::string address;
  std::shared_ptr<net::grpc::Channel> channel;
  wire::InfoResponse info;
};
using ServiceEndpoints = std::vector<ServiceEndpoint>;

// Asks each endpoint for Info every info_interval, all at once. One that answers is used from then
// on; one that does not is no longer used, but still shown, until unhealthy_timeout is over; a
// strict one is used all the same. A group is one endpoint, "thanos:///" and its address: its
// members are asked each, and it is what those that answer say together. Constructor, Start, Stop.
// Thread-safe.
class EndpointSet {
 public:
  EndpointSet(EndpointOptions options, net::grpc::ClientRuntime& runtime, Logger logger,
              std::shared_ptr<prometheus::Registry> metrics, const Clock& clock = Clock::System());
  ~EndpointSet();

  // InvalidArgument for a configuration that can't be right. `on_first_refresh` is called once,
  // when all endpoints were asked for the first time.
  Status Start(std::function<void()> on_first_refresh);
  void Stop();

  // The stores to ask now, and those that were there lately (StoreClient::lost).
  std::shared_ptr<const store::StoreClients> Stores() const { return stores_.Get(); }
  // The same apart: queriers, which can also be asked in PromQL, and others.
  std::shared_ptr<const QueryEndpoints> Queriers() const { return queriers_.Get(); }
  // All endpoints that are used, stores or not, sorted by address; the selector leaves none out.
  std::shared_ptr<const ServiceEndpoints> Services() const { return services_.Get(); }
  // All endpoints, sorted by name.
  std::vector<EndpointStatus> Statuses() const;

 private:
  struct Member;
  struct Endpoint;
  using Endpoints = std::map<std::string, std::shared_ptr<Endpoint>>;

  Status ReadConfig(std::vector<EndpointSpec>* specs) const;
  void Run(std::function<void()> on_first_refresh);
  void Discover();
  // Asks DNS when it is due: in the background, but for the first time.
  void LookUp(const std::vector<EndpointSpec>& specs);
  std::vector<EndpointSpec> Resolve();
  void AddAndRemove(const std::vector<EndpointSpec>& specs);
  std::shared_ptr<Endpoint> MakeEndpoint(const EndpointSpec& spec, const std::string& name);
  void UpdateMembers(Endpoint& endpoint);
  void AskAll();
  void Ask(Member& member) const;
  void Conclude(const std::string& name, Endpoint& endpoint);
  void Publish();
  // The label sets that the selector keeps; nullopt when it keeps none.
  std::optional<std::vector<model::Labels>> Select(
      const std::vector<model::Labels>& label_sets) const;
  void CountConnections(const Endpoints& endpoints);

  const EndpointOptions options_;
  net::grpc::ClientRuntime& runtime_;
  const Logger logger_;
  const Clock& clock_;
  net::DnsResolver resolver_;
  net::DnsResolver group_resolver_;
  std::atomic<bool> looking_up_ = false;
  bool looked_up_ = false;  // of the refresh thread
  net::FileDiscovery files_;
  prometheus::Counter* duplicates_;
  prometheus::Family<prometheus::Gauge>* connections_;
  std::map<std::map<std::string, std::string>, prometheus::Gauge*>
      connection_gauges_;                 // of the refresh thread
  std::vector<EndpointSpec> configured_;  // of the configuration file; of the refresh thread
  Context::TimePoint next_config_{};
  Context::TimePoint next_dns_{};
  Context::TimePoint next_files_{};

  store::GroupRuntime groups_;
  Snapshot<store::StoreClients> stores_;
  Snapshot<QueryEndpoints> queriers_;
  Snapshot<ServiceEndpoints> services_;
  mutable Mutex mutex_;
  Endpoints endpoints_ AEVUM_GUARDED_BY(mutex_);
  bool stopping_ AEVUM_GUARDED_BY(mutex_) = false;
  std::condition_variable wake_;
  CancelScope running_{Context::Background()};
  std::unique_ptr<ThreadPool> pool_;
  std::thread thread_;
};

}  // namespace aevum::query
