#include "store/proxy_stream.h"

#include <algorithm>
#include <utility>

#include <prometheus/counter.h>

#include "base/duration.h"
#include "base/memory_budget.h"
#include "store/sharding.h"
#include "store/sort_stream.h"

namespace aevum::store {
namespace {

// Time that a store has to give what it may have sent already, when it is looked at only after its
// response timeout because others were waited for meanwhile.
constexpr std::chrono::milliseconds kGrace{50};
// A warning names so many label sets; a store of blocks may have thousands.
constexpr std::size_t kShownLabelSets = 4;

// "{a="b"},{c="d"}", or what Thanos calls a store that announces no labels.
std::string StoreName(const StoreClient& client) {
  std::string text;
  for (const model::Labels& labels : client.label_sets) {
    if (!text.empty()) text += ',';
    text += labels.ToString();
  }
  return text.empty() ? "Store Gateway" : text;
}

// The answer of one store, whose errors name it.
class EndpointStream final : public SeriesStream {
 public:
  EndpointStream(const Context& context, const StoreClient& client, std::size_t position,
                 const ProxyStreamOptions& options)
      : position_(static_cast<std::uint32_t>(position)),
        store_(client.store),
        name_(client.ToString()),
        store_name_(StoreName(client)),
        options_(options),
        remote_(!client.address.empty()),
        scope_(std::make_shared<CancelScope>(context)) {}
  // A stream that nobody reads any more must not go on.
  ~EndpointStream() override { scope_->Cancel(); }

  void Start(const wire::SeriesRequest& request) {
    waited_since_ = Context::TimePoint::clock::now();
    StatusOr<std::unique_ptr<SeriesStream>> stream = store_->Series(scope_->context(), request);
    if (stream.ok()) {
      stream_ = std::move(stream).value();
    } else {
      status_ = Failure(stream.status(), /*timed_out=*/false);
    }
  }

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    RETURN_IF_ERROR(status_);
    const bool watch = options_.watchdog != nullptr;
    std::uint64_t id = 0;
    if (watch) {
      id = options_.watchdog->Arm(scope_, Deadline());
    }
    StatusOr<bool> more = stream_->Next(batch);
    const bool timed_out = watch && options_.watchdog->Disarm(id);
    waited_since_ = Context::TimePoint::clock::now();
    if (options_.call && !batch->warnings.empty())
      options_.call->Failed(position_, batch->warnings.front());
    if (!batch->empty()) received_ = true;
    if (!more.ok()) {
      batch->Clear();
      if (!received_) options_.empty_responses->Increment();
      return status_ = stream_->over_budget() ? more.status() : Failure(more.status(), timed_out);
    }
    if (!*more && !received_) options_.empty_responses->Increment();
    for (chunk::ChunkView& chunk : batch->chunks) chunk.source = position_;
    batch->sources.reset();
    status_ = Charge(batch);
    RETURN_IF_ERROR(status_);
    return *more;
  }

 private:
  // What was received is charged to the request as long as any part of it is held.
  struct Charged {
    MemoryCharge charge;
    std::vector<BufferOwner> owners;
  };

  Status Charge(wire::SeriesBatch* batch) const {
    const Context& context = scope_->context();
    if (!context.budget() || batch->series.empty()) return OkStatus();
    std::size_t bytes = batch->chunks.size() * sizeof(chunk::ChunkView);
    for (const chunk::ChunkView& chunk : batch->chunks) bytes += chunk.data.size();
    for (const wire::SeriesBatch::Series& series : batch->series) {
      bytes += series.labels.memory_bytes() + sizeof series;
    }
    auto charged = std::make_shared<Charged>();
    charged->charge = MemoryCharge(context.budget());
    RETURN_IF_ERROR(charged->charge.Add(static_cast<std::int64_t>(bytes), "series of a store"));
    charged->owners.swap(batch->owners);
    batch->owners.push_back(std::move(charged));
    return OkStatus();
  }

  // A remote store sends while others are waited for, so its time runs then too: many that stall
  // together are left together.
  Context::TimePoint Deadline() const {
    const auto now = Context::TimePoint::clock::now();
    if (!remote_) return now + options_.response_timeout;
    return std::max(waited_since_ + options_.response_timeout, now + kGrace);
  }

  // Keeps Unavailable for a store that was never reached; the proxy's other errors are Aborted.
  Status Failure(const Status& status, bool timed_out) const {
    const std::string text = RpcErrorText(status);
    if (timed_out) {
      return MakeError(StatusCode::kAborted,
                       fmt::format("failed to receive any data in {} from {}: {}",
                                   FormatGoDuration(options_.response_timeout), name_, text));
    }
    if (!received_ && status.code() == StatusCode::kUnavailable) {
      return MakeError(StatusCode::kUnavailable,
                       fmt::format("fetch series for {} {}: {}", store_name_, name_, text));
    }
    return MakeError(StatusCode::kAborted, fmt::format("receive series from {}: {}", name_, text));
  }

  const std::uint32_t position_;  // among the stores that are asked
  const std::shared_ptr<Store> store_;
  const std::string name_;
  const std::string store_name_;
  const ProxyStreamOptions options_;
  const bool remote_;
  Context::TimePoint waited_since_;  // the start, or when it last gave something
  const std::shared_ptr<CancelScope> scope_;
  std::unique_ptr<SeriesStream> stream_;
  bool received_ = false;
  Status status_;
};

class ProxyStream final : public SeriesStream {
 public:
  ProxyStream(const Context& context, const ProxyStreamOptions& options,
              std::vector<std::string> names, std::vector<std::vector<model::Labels>> label_sets,
              std::vector<std::unique_ptr<SeriesStream>> streams)
      : context_(context),
        options_(options),
        names_(std::make_shared<const std::vector<std::string>>(std::move(names))),
        label_sets_(std::move(label_sets)) {
    merged_ = MergeStreams(std::move(streams),
                           [this](std::size_t input, const Status& error, wire::SeriesBatch* out) {
                             return OnError(input, error, out);
                           });
  }

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    RETURN_IF_ERROR(status_);
    if (done_) return false;
    StatusOr<bool> more = Pull(batch);
    if (!more.ok()) {
      status_ = more.status();
      batch->Clear();
      merged_.reset();  // stops the calls to the other stores
    }
    return more;
  }

 private:
  StatusOr<bool> Pull(wire::SeriesBatch* batch) {
    ASSIGN_OR_RETURN(const bool more, merged_->Next(batch));
    batch->sources = names_;
    if (aborts() && !batch->warnings.empty()) {
      return MakeError(StatusCode::kAborted, batch->warnings.front());
    }
    given_ += static_cast<std::int64_t>(batch->series.size());
    if (options_.limit > 0 && given_ >= options_.limit) {
      batch->series.resize(batch->series.size() -
                           static_cast<std::size_t>(given_ - options_.limit));
      done_ = true;
      merged_.reset();
    }
    return more;
  }

  Status OnError(std::size_t input, const Status& error, wire::SeriesBatch* out) const {
    // The request itself has ended: no store is to blame.
    RETURN_IF_ERROR(context_.status());
    // Series out of order are found by the merge, which does not know the name.
    const Status named =
        error.code() == StatusCode::kAborted || error.code() == StatusCode::kUnavailable ||
                error.code() == StatusCode::kResourceExhausted
            ? error
            : MakeError(StatusCode::kAborted, fmt::format("receive series from {}: {}",
                                                          (*names_)[input], RpcErrorText(error)));
    // The budget of the request is used up: going on with less would hide it.
    if (aborts() || error.code() == StatusCode::kResourceExhausted) return named;
    if (options_.call) options_.call->Failed(input, std::string(named.message()));
    out->warnings.push_back(NameLabels(std::string(named.message()), label_sets_[input]));
    return OkStatus();
  }

  bool aborts() const { return options_.partial_response == wire::PartialResponse::kAbort; }

  const Context context_;
  const ProxyStreamOptions options_;
  const std::shared_ptr<const std::vector<std::string>> names_;
  const std::vector<std::vector<model::Labels>> label_sets_;  // of the stores, for warnings
  std::unique_ptr<SeriesStream> merged_;
  std::int64_t given_ = 0;
  bool done_ = false;
  Status status_;
};

}  // namespace

std::string NameLabels(std::string warning, const std::vector<model::Labels>& label_sets) {
  if (label_sets.empty() || warning.starts_with("fetch series for {")) return warning;
  warning += " (external labels: ";
  for (std::size_t i = 0; i < std::min(label_sets.size(), kShownLabelSets); ++i)
    warning += (i > 0 ? "," : "") + label_sets[i].ToString();
  if (label_sets.size() > kShownLabelSets)
    warning += fmt::format(" and {} more", label_sets.size() - kShownLabelSets);
  return warning + ")";
}

std::string RpcErrorText(const Status& status) {
  return fmt::format("rpc error: code = {} desc = {}", StatusCodeName(status.code()),
                     status.message());
}

std::unique_ptr<SeriesStream> StartProxyStream(const Context& context,
                                               const wire::SeriesRequest& request,
                                               std::span<const StoreClient* const> clients,
                                               const ProxyStreamOptions& options) {
  std::vector<std::string> names;
  std::vector<std::vector<model::Labels>> label_sets;
  std::vector<std::unique_ptr<SeriesStream>> streams;
  for (const StoreClient* client : clients) {
    wire::SeriesRequest inner = request;
    const bool resort =
        !request.without_replica_labels.empty() && !client->supports_without_replica_labels;
    // Shards are of labels without the replica labels, so that replicas meet in one shard.
    const bool shard = request.shard_info && (resort || !client->supports_sharding);
    // A limit would count series that are left out or become equal here.
    if (shard || resort) inner.limit = 0;
    if (resort) inner.without_replica_labels.clear();
    if (shard) inner.shard_info.reset();

    auto endpoint = std::make_unique<EndpointStream>(context, *client, names.size(), options);
    endpoint->Start(inner);
    std::unique_ptr<SeriesStream> stream = std::move(endpoint);
    if (resort) {
      stream = SortWithoutLabels(context, std::move(stream), request.without_replica_labels);
    }
    if (shard) stream = FilterShard(std::move(stream), *request.shard_info);
    names.push_back(client->ToString());
    label_sets.push_back(client->label_sets);
    streams.push_back(std::move(stream));
  }
  return std::make_unique<ProxyStream>(context, options, std::move(names), std::move(label_sets),
                                       std::move(streams));
}

}  // namespace aevum::store
