// Many stores as one: asks all that can have an answer, and merges what they say.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/logging.h"
#include "base/thread_pool.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "store/missing.h"
#include "store/store.h"
#include "store/watchdog.h"

namespace prometheus {
class Counter;
class Registry;
}  // namespace prometheus

namespace aevum::store {

// A store and what it last said of itself.
struct StoreClient {
  std::shared_ptr<Store> store;
  std::string address;  // "" for a store in this process
  std::vector<model::Labels> label_sets;
  TimestampMs min_time = kMinTime;
  TimestampMs max_time = kMaxTime;
  bool supports_sharding = false;
  bool supports_without_replica_labels = false;
  bool strict = false;  // kept although it does not answer
  std::vector<wire::TsdbInfo> tsdb_infos;
  std::string lost = {};  // why it is known but not asked; "" for one that is

  // "Addr: host:port MinTime: 1 MaxTime: 2", as Thanos names stores in warnings.
  std::string ToString() const;
};

using StoreClients = std::vector<StoreClient>;
// The stores of the moment. Called once a request; must be thread-safe; null means none.
using StoreClientSource = std::function<std::shared_ptr<const StoreClients>()>;

struct ProxyOptions {
  std::string component_type = "query";  // what Info says
  model::Labels selector_labels;         // labels that all series behind the proxy are said to have
  // A store that gives nothing for so long has failed. 0: no limit.
  std::chrono::nanoseconds response_timeout{0};
  // Series a message that stores are asked to give, when the request wants fewer.
  std::int64_t response_batch_size = 64;
  std::size_t label_threads = 16;  // for label calls, which block
};

// With PartialResponse::kWarn a store that fails becomes a warning that names it, with what it had
// given before; with kAbort the request fails: Unavailable for a store that can't be reached, else
// Aborted. The same for a damaged message and for series out of order.
//
// A store is not asked when its time range or its label sets rule it out. For one that can't shard
// or leave out replica labels, the proxy does it. No stores at all: an empty answer, or with kAbort
// an error. Must outlive its streams. Thread-safe.
class Proxy final : public Store {
 public:
  Proxy(ProxyOptions options, StoreClientSource stores, Logger logger,
        std::shared_ptr<prometheus::Registry> metrics);
  ~Proxy() override;

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override;
  // Label sets, times and TSDBs of all stores together; no other services.
  StatusOr<wire::InfoResponse> Info(const Context& context) override;

  // This proxy for one request: only stores whose `__address__` satisfies one of the lists of
  // matchers (all of its matchers), as the API parameter storeMatch[] asks; empty: all stores. What
  // the answers lack goes to `missing`, which may be null. The proxy must outlive the result.
  std::unique_ptr<Store> Restrict(std::vector<model::Matchers> store_matchers,
                                  std::shared_ptr<MissingParts> missing = nullptr);

 private:
  friend class RestrictedProxy;
  friend class ProxyStream;
  // What is special to a request.
  struct Scope {
    std::vector<model::Matchers> store_matchers = {};
    std::shared_ptr<MissingParts> missing = {};
  };
  struct Targets;

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request,
                                                 const Scope& scope);
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request,
                                            const Scope& scope);
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request,
                                             const Scope& scope);
  // The stores to ask, with the matchers that remain after the selector labels.
  Targets Choose(const model::Matchers& matchers, TimestampMs min_time, TimestampMs max_time,
                 const Scope& scope) const;
  using LabelCall =
      std::function<StatusOr<wire::LabelsResponse>(const Context&, const StoreClient&)>;
  // Calls all targets at once and joins their answers.
  StatusOr<wire::LabelsResponse> CallAll(const Context& context, const Targets& targets,
                                         std::string_view what, wire::PartialResponse partial,
                                         std::int64_t limit, const LabelCall& call);

  const ProxyOptions options_;
  const StoreClientSource stores_;
  const Logger logger_;
  const std::shared_ptr<prometheus::Registry> metrics_;
  prometheus::Counter* empty_responses_;
  std::unique_ptr<Watchdog> watchdog_;  // null without a response timeout
  ThreadPool label_pool_;
};

}  // namespace aevum::store
