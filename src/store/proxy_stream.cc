#include "store/proxy_stream.h"

#include <utility>

#include <prometheus/counter.h>

#include "base/duration.h"
#include "base/memory_budget.h"
#include "store/sharding.h"
#include "store/sort_stream.h"

namespace aevum::store {
namespace {

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
        scope_(std::make_shared<CancelScope>(context)) {}
  // A stream that nobody reads any more must not go on.
  ~EndpointStream() override { scope_->Cancel(); }

  void Start(const wire::SeriesRequest& request) {
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
      id = options_.watchdog->Arm(scope_,
                                  Context::TimePoint::clock::now() + options_.response_timeout);
    }
    StatusOr<bool> more = stream_->Next(batch);
    const bool timed_out = watch && options_.watchdog->Disarm(id);
    if (!batch->empty()) received_ = true;
    if (!more.ok()) {
      batch->Clear();
      if (!received_) options_.empty_responses->Increment();
      return status_ = Failure(more.status(), timed_out);
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
  const std::shared_ptr<CancelScope> scope_;
  std::unique_ptr<SeriesStream> stream_;
  bool received_ = false;
  Status status_;
};

class ProxyStream final : public SeriesStream {
 public:
  ProxyStream(const Context& context, const ProxyStreamOptions& options,
              std::vector<std::string> names, std::vector<std::unique_ptr<SeriesStream>> streams)
      : context_(context),
        options_(options),
        names_(std::make_shared<const std::vector<std::string>>(std::move(names))) {
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
    out->warnings.emplace_back(named.message());
    return OkStatus();
  }

  bool aborts() const { return options_.partial_response == wire::PartialResponse::kAbort; }

  const Context context_;
  const ProxyStreamOptions options_;
  const std::shared_ptr<const std::vector<std::string>> names_;
  std::unique_ptr<SeriesStream> merged_;
  std::int64_t given_ = 0;
  bool done_ = false;
  Status status_;
};

}  // namespace

std::string RpcErrorText(const Status& status) {
  return fmt::format("rpc error: code = {} desc = {}", StatusCodeName(status.code()),
                     status.message());
}

std::unique_ptr<SeriesStream> StartProxyStream(const Context& context,
                                               const wire::SeriesRequest& request,
                                               std::span<const StoreClient* const> clients,
                                               const ProxyStreamOptions& options) {
  std::vector<std::string> names;
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
    streams.push_back(std::move(stream));
  }
  return std::make_unique<ProxyStream>(context, options, std::move(names), std::move(streams));
}

}  // namespace aevum::store
