#include "store/proxy.h"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include "base/mutex.h"
#include "store/external_labels.h"
#include "store/proxy_stream.h"

namespace aevum::store {
namespace {

constexpr std::size_t kLabelQueue = 4096;

bool MatchesAddress(const StoreClient& client, const std::vector<model::Matchers>& lists) {
  if (lists.empty()) return true;
  if (client.address.empty()) return false;
  return std::any_of(lists.begin(), lists.end(), [&](const model::Matchers& matchers) {
    return std::all_of(matchers.begin(), matchers.end(), [&](const model::Matcher& matcher) {
      return matcher.name() != "__address__" || matcher.Matches(client.address);
    });
  });
}

// Sorted, each once, at most `limit` when that is not 0.
void Normalise(std::vector<std::string>* strings, std::int64_t limit) {
  std::sort(strings->begin(), strings->end());
  strings->erase(std::unique(strings->begin(), strings->end()), strings->end());
  if (limit > 0 && strings->size() > static_cast<std::size_t>(limit)) {
    strings->resize(static_cast<std::size_t>(limit));
  }
}

// Bytes of heap that an answer takes, roughly.
std::int64_t BytesOf(const wire::LabelsResponse& response) {
  std::size_t bytes = 0;
  for (const auto* texts : {&response.strings, &response.warnings})
    for (const std::string& text : *texts) bytes += sizeof text + text.size();
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

std::string StoreClient::ToString() const {
  return fmt::format("Addr: {} MinTime: {} MaxTime: {}", address, min_time, max_time);
}

// What a request goes to. Shares the snapshot of the clients.
struct Proxy::Targets {
  std::shared_ptr<const StoreClients> all;
  std::vector<const StoreClient*> chosen;
  std::shared_ptr<StoreCall> call;          // null when nobody asks what is missing
  std::optional<model::Matchers> matchers;  // nullopt: the selector labels rule all series out
};

// The proxy with matchers on addresses.
class RestrictedProxy final : public Store {
 public:
  RestrictedProxy(Proxy& proxy, Proxy::Scope scope) : proxy_(proxy), scope_(std::move(scope)) {}

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request) override {
    return proxy_.Series(context, request, scope_);
  }
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override {
    return proxy_.LabelNames(context, request, scope_);
  }
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override {
    return proxy_.LabelValues(context, request, scope_);
  }
  StatusOr<wire::InfoResponse> Info(const Context& context) override {
    return proxy_.Info(context);
  }

 private:
  Proxy& proxy_;
  const Proxy::Scope scope_;
};

Proxy::Proxy(ProxyOptions options, StoreClientSource stores, Logger logger,
             std::shared_ptr<prometheus::Registry> metrics)
    : options_(std::move(options)),
      stores_(std::move(stores)),
      logger_(std::move(logger)),
      metrics_(std::move(metrics)),
      empty_responses_(&prometheus::BuildCounter()
                            .Name("thanos_proxy_store_empty_stream_responses_total")
                            .Help("Total number of empty responses received.")
                            .Register(*metrics_)
                            .Add({})),
      watchdog_(options_.response_timeout.count() > 0 ? std::make_unique<Watchdog>() : nullptr),
      label_pool_("store-labels", options_.label_threads, kLabelQueue) {}

Proxy::~Proxy() = default;

std::unique_ptr<Store> Proxy::Restrict(std::vector<model::Matchers> store_matchers,
                                       std::shared_ptr<MissingParts> missing) {
  return std::make_unique<RestrictedProxy>(
      *this, Scope{.store_matchers = std::move(store_matchers), .missing = std::move(missing)});
}

Proxy::Targets Proxy::Choose(const model::Matchers& matchers, TimestampMs min_time,
                             TimestampMs max_time, const Scope& scope) const {
  Targets targets;
  targets.all = stores_();
  if (!targets.all) targets.all = std::make_shared<const StoreClients>();
  targets.matchers = MatchExternalLabels(matchers, options_.selector_labels);
  if (!targets.matchers) return targets;
  std::vector<const StoreClient*> lost;
  for (const StoreClient& client : *targets.all) {
    if (min_time <= client.max_time && max_time >= client.min_time &&
        MatchesAddress(client, scope.store_matchers) &&
        MayMatch(*targets.matchers, client.label_sets)) {
      (client.lost.empty() ? targets.chosen : lost).push_back(&client);
    }
  }
  if (scope.missing) {
    targets.call =
        scope.missing->Begin(targets.all, targets.chosen, std::move(lost), min_time, max_time);
  }
  return targets;
}

StatusOr<std::unique_ptr<SeriesStream>> Proxy::Series(const Context& context,
                                                      const wire::SeriesRequest& request) {
  return Series(context, request, {});
}
StatusOr<wire::LabelsResponse> Proxy::LabelNames(const Context& context,
                                                 const wire::LabelNamesRequest& request) {
  return LabelNames(context, request, {});
}
StatusOr<wire::LabelsResponse> Proxy::LabelValues(const Context& context,
                                                  const wire::LabelValuesRequest& request) {
  return LabelValues(context, request, {});
}

StatusOr<std::unique_ptr<SeriesStream>> Proxy::Series(const Context& context,
                                                      const wire::SeriesRequest& request,
                                                      const Scope& scope) {
  const Targets targets = Choose(request.matchers, request.min_time, request.max_time, scope);
  if (!targets.matchers) return MergeStreams({});
  if (targets.matchers->empty()) {
    return InvalidArgument("no matchers specified (excluding selector labels)");
  }
  const bool none = std::all_of(targets.all->begin(), targets.all->end(),
                                [](const StoreClient& client) { return !client.lost.empty(); });
  if (none && request.partial_response == wire::PartialResponse::kAbort) {
    return MakeError(StatusCode::kUnknown, "no StoreAPIs available");
  }
  if (targets.chosen.empty()) {
    logger_.Debug("no StoreAPIs matched for this query",
                  {{"matchers", model::ToString(request.matchers)}});
  }
  wire::SeriesRequest inner = request;
  inner.matchers = *targets.matchers;
  inner.hints.clear();  // they are for one kind of store
  inner.response_batch_size = std::max(inner.response_batch_size, options_.response_batch_size);
  ProxyStreamOptions options{.partial_response = request.partial_response,
                             .limit = request.limit,
                             .response_timeout = options_.response_timeout,
                             .watchdog = watchdog_.get(),
                             .empty_responses = empty_responses_,
                             .call = targets.call};
  return StartProxyStream(context, inner, targets.chosen, options);
}

StatusOr<wire::LabelsResponse> Proxy::LabelNames(const Context& context,
                                                 const wire::LabelNamesRequest& request,
                                                 const Scope& scope) {
  const Targets targets = Choose(request.matchers, request.start, request.end, scope);
  if (!targets.matchers) return wire::LabelsResponse{};
  wire::LabelNamesRequest inner = request;
  inner.matchers = *targets.matchers;
  inner.limit = 0;  // what a store leaves out may come first in the merged order
  const auto call = [&inner](const Context& c, const StoreClient& client) {
    return client.store->LabelNames(c, inner);
  };
  ASSIGN_OR_RETURN(wire::LabelsResponse response,
                   CallAll(context, targets, "label names", request.partial_response, 0, call));
  // Also for stores that do not know the field.
  std::erase_if(response.strings, [&](const std::string& name) {
    return std::find(request.without_replica_labels.begin(), request.without_replica_labels.end(),
                     name) != request.without_replica_labels.end();
  });
  Normalise(&response.strings, request.limit);
  return response;
}

StatusOr<wire::LabelsResponse> Proxy::LabelValues(const Context& context,
                                                  const wire::LabelValuesRequest& request,
                                                  const Scope& scope) {
  if (request.label.empty()) return InvalidArgument("label name parameter cannot be empty");
  const Targets targets = Choose(request.matchers, request.start, request.end, scope);
  const auto& without = request.without_replica_labels;
  if (!targets.matchers ||
      std::find(without.begin(), without.end(), request.label) != without.end()) {
    return wire::LabelsResponse{};
  }
  wire::LabelValuesRequest inner = request;
  inner.matchers = *targets.matchers;
  const auto call = [&inner](const Context& c, const StoreClient& client) {
    return client.store->LabelValues(c, inner);
  };
  return CallAll(context, targets, "label values", request.partial_response, request.limit, call);
}

StatusOr<wire::LabelsResponse> Proxy::CallAll(const Context& context, const Targets& targets,
                                              std::string_view what, wire::PartialResponse partial,
                                              std::int64_t limit, const LabelCall& call) {
  struct Answers {
    Mutex mutex;
    std::condition_variable done;
    std::size_t running AEVUM_GUARDED_BY(mutex) = 0;
    std::vector<std::optional<StatusOr<wire::LabelsResponse>>> results AEVUM_GUARDED_BY(mutex);
    MemoryCharge charge AEVUM_GUARDED_BY(mutex);
    Status budget AEVUM_GUARDED_BY(mutex);  // not OK: of the request, no fault of a store
  };
  Answers answers;
  CancelScope scope(context);
  const bool abort = partial == wire::PartialResponse::kAbort;
  {
    MutexLock lock(answers.mutex);
    answers.running = targets.chosen.size();
    answers.results.resize(targets.chosen.size());
    answers.charge = MemoryCharge(context.budget());
  }
  for (std::size_t i = 0; i < targets.chosen.size(); ++i) {
    const auto task = [&, i] {
      const Context bounded = options_.response_timeout.count() > 0
                                  ? scope.context().WithTimeout(options_.response_timeout)
                                  : scope.context();
      StatusOr<wire::LabelsResponse> result = call(bounded, *targets.chosen[i]);
      if (abort && !result.ok()) scope.Cancel();
      MutexLock lock(answers.mutex);
      if (result.ok() && answers.budget.ok()) {
        answers.budget = answers.charge.Add(BytesOf(*result), what);
        if (!answers.budget.ok()) scope.Cancel();
      }
      answers.results[i] = std::move(result);
      // With the lock held: the waiter owns the condition and may go away right after.
      if (--answers.running == 0) answers.done.notify_all();
    };
    if (!label_pool_.Submit(task)) task();
  }
  MutexLock lock(answers.mutex);
  while (answers.running > 0) lock.Wait(answers.done);
  RETURN_IF_ERROR(answers.budget);

  wire::LabelsResponse joined;
  Status failure;
  for (std::size_t i = 0; i < targets.chosen.size(); ++i) {
    StatusOr<wire::LabelsResponse>& result = *answers.results[i];
    if (result.ok()) {
      if (targets.call && !result->warnings.empty())
        targets.call->Failed(i, result->warnings.front());
      std::move(result->strings.begin(), result->strings.end(), std::back_inserter(joined.strings));
      std::move(result->warnings.begin(), result->warnings.end(),
                std::back_inserter(joined.warnings));
      continue;
    }
    const std::string message =
        fmt::format("fetch {} from store {}: {}", what, targets.chosen[i]->ToString(),
                    RpcErrorText(result.status()));
    // The first real reason, not the cancellation that followed from it.
    if (failure.ok() || failure.code() == StatusCode::kCancelled) {
      // What is internal to a peer is not so to us.
      const StatusCode code = result.status().code();
      failure = MakeError(code == StatusCode::kInternal ? StatusCode::kAborted : code, message);
    }
    if (targets.call) targets.call->Failed(i, message);
    joined.warnings.push_back(NameLabels(message, targets.chosen[i]->label_sets));
  }
  RETURN_IF_ERROR(context.status());
  if (abort && !failure.ok()) return failure;
  Normalise(&joined.strings, limit);
  Normalise(&joined.warnings, 0);
  return joined;
}

StatusOr<wire::InfoResponse> Proxy::Info(const Context& /*context*/) {
  const std::shared_ptr<const StoreClients> clients = stores_();
  wire::InfoResponse info;
  info.component_type = options_.component_type;
  wire::StoreInfo store{.min_time = kMinTime,
                        .max_time = kMaxTime,
                        .supports_sharding = true,
                        .supports_without_replica_labels = true,
                        .supports_projections = false,
                        .tsdb_infos = {}};
  std::set<model::Labels> label_sets;
  const auto asked = [](const StoreClient& client) { return client.lost.empty(); };
  if (clients && std::any_of(clients->begin(), clients->end(), asked)) {
    store.min_time = kMaxTime;
    store.max_time = kMinTime;
    for (const StoreClient& client : *clients) {
      if (!asked(client)) continue;
      store.min_time = std::min(store.min_time, client.min_time);
      store.max_time = std::max(store.max_time, client.max_time);
      store.tsdb_infos.insert(store.tsdb_infos.end(), client.tsdb_infos.begin(),
                              client.tsdb_infos.end());
      for (const model::Labels& labels : client.label_sets) {
        label_sets.insert(ExtendLabels(labels, options_.selector_labels));
      }
    }
  }
  // What the selector labels say holds even when no store says anything.
  if (label_sets.empty() && !options_.selector_labels.empty()) {
    label_sets.insert(options_.selector_labels);
  }
  info.label_sets.assign(label_sets.begin(), label_sets.end());
  info.store = std::move(store);
  return info;
}

}  // namespace aevum::store
