#include "store/grpc_server.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "chunk/plain.h"
#include "net/grpc/server.h"

namespace aevum::store {
namespace {

using net::grpc::Server;
using net::grpc::ServerCall;

// More series than this are never put into one message, whatever a client asks for.
constexpr std::int64_t kMaxResponseBatch = 10'000;

// Chunks of encodings with start timestamps in those that every peer reads.
Status RewriteChunks(wire::SeriesBatch* batch) {
  for (chunk::ChunkView& view : batch->chunks) {
    const chunk::Encoding plain = chunk::PlainEncoding(view.encoding);
    if (plain == view.encoding) continue;
    ASSIGN_OR_RETURN(std::string bytes, chunk::RewritePlain(view.encoding, view.data));
    SharedBytes owned = SharedBytes::Own(std::move(bytes));
    view.data = owned.view;
    view.encoding = plain;
    batch->owners.push_back(std::move(owned.owner));
  }
  return OkStatus();
}

struct StoreService {
  StoreService(Store& s, std::shared_ptr<prometheus::Registry> m, BudgetSource b)
      : store(s),
        metrics(std::move(m)),
        budget(std::move(b)),
        series(prometheus::BuildHistogram()
                   .Name("thanos_store_server_series_requested")
                   .Help("Number of requested series for Series calls")
                   .Register(*metrics)
                   .Add({}, prometheus::Histogram::BucketBoundaries{1, 10, 100, 1000, 10000, 100000,
                                                                    1000000})),
        chunks(
            prometheus::BuildHistogram()
                .Name("thanos_store_server_chunks_requested")
                .Help("Number of requested chunks for Series calls")
                .Register(*metrics)
                .Add({}, prometheus::Histogram::BucketBoundaries{1, 100, 1000, 10000, 100000,
                                                                 10000000, 100000000, 1000000000})),
        pending(prometheus::BuildGauge()
                    .Name("thanos_store_server_pending_series_requests")
                    .Help("Number of pending series requests")
                    .Register(*metrics)
                    .Add({})) {}

  Status Series(ServerCall& call);
  Context ContextOf(const ServerCall& call) const {
    return budget ? call.context().WithBudget(budget()) : call.context();
  }

  Store& store;
  const std::shared_ptr<prometheus::Registry> metrics;
  const BudgetSource budget;
  prometheus::Histogram& series;
  prometheus::Histogram& chunks;
  prometheus::Gauge& pending;
};

// Counts a call from its start to its end.
class SeriesCall {
 public:
  explicit SeriesCall(StoreService& service) : service_(service) { service_.pending.Increment(); }
  ~SeriesCall() {
    service_.pending.Decrement();
    service_.series.Observe(static_cast<double>(series_));
    service_.chunks.Observe(static_cast<double>(chunks_));
  }
  SeriesCall(const SeriesCall&) = delete;
  SeriesCall& operator=(const SeriesCall&) = delete;

  // Sends a batch in messages of `size` series. False: the client is gone.
  bool Send(ServerCall& call, const wire::SeriesBatch& batch, std::size_t size) {
    for (std::size_t i = 0; i < batch.series.size(); i += size) {
      const std::size_t end = std::min(batch.series.size(), i + size);
      if (!call.Write(SharedBytes::Own(wire::EncodeSeriesResponse(batch, i, end, size > 1)))) {
        return false;
      }
      series_ += end - i;
      for (std::size_t s = i; s < end; ++s) chunks_ += batch.series[s].chunk_count;
    }
    for (const std::string& warning : batch.warnings) {
      if (!call.Write(SharedBytes::Own(wire::EncodeWarningResponse(warning)))) return false;
    }
    return true;
  }

 private:
  StoreService& service_;
  std::uint64_t series_ = 0;
  std::uint64_t chunks_ = 0;
};

Status StoreService::Series(ServerCall& call) {
  ASSIGN_OR_RETURN(const wire::SeriesRequest request,
                   wire::DecodeSeriesRequest(call.request().view));
  if (request.matchers.empty()) {
    return InvalidArgument("no matchers specified (excluding external labels)");
  }
  SeriesCall counted(*this);
  ASSIGN_OR_RETURN(const std::unique_ptr<SeriesStream> stream,
                   store.Series(ContextOf(call), request));
  const auto size = static_cast<std::size_t>(
      std::clamp(request.response_batch_size, std::int64_t{1}, kMaxResponseBatch));
  const bool reads_starts = call.Metadata(kStartTimestampsKey) == kStartTimestampsValue;
  wire::SeriesBatch batch;
  bool more = true;
  while (more) {
    ASSIGN_OR_RETURN(more, stream->Next(&batch));
    if (!reads_starts) RETURN_IF_ERROR(RewriteChunks(&batch));
    // The store may not have heard of skip_chunks.
    if (request.skip_chunks) {
      for (wire::SeriesBatch::Series& one : batch.series) one.chunk_count = 0;
    }
    if (!counted.Send(call, batch, size)) {
      RETURN_IF_ERROR(call.context().status());
      return MakeError(StatusCode::kCancelled, "the client has gone");
    }
  }
  return OkStatus();
}

}  // namespace

Status SendMessage(ServerCall& call, std::string message) {
  if (call.Write(SharedBytes::Own(std::move(message)))) return OkStatus();
  RETURN_IF_ERROR(call.context().status());
  return MakeError(StatusCode::kCancelled, "the client has gone");
}

void RegisterStore(Server& server, Store& store, std::shared_ptr<prometheus::Registry> metrics,
                   BudgetSource budget) {
  const auto service = std::make_shared<StoreService>(store, std::move(metrics), std::move(budget));
  server.Register("/thanos.Store/Series", Server::Kind::kServerStream,
                  [service](ServerCall& call) { return service->Series(call); });
  server.Register("/thanos.Store/LabelNames", Server::Kind::kUnary,
                  [service](ServerCall& call) -> Status {
                    ASSIGN_OR_RETURN(const wire::LabelNamesRequest request,
                                     wire::DecodeLabelNamesRequest(call.request().view));
                    ASSIGN_OR_RETURN(const wire::LabelsResponse response,
                                     service->store.LabelNames(service->ContextOf(call), request));
                    return SendMessage(call, wire::Encode(response));
                  });
  server.Register("/thanos.Store/LabelValues", Server::Kind::kUnary,
                  [service](ServerCall& call) -> Status {
                    ASSIGN_OR_RETURN(const wire::LabelValuesRequest request,
                                     wire::DecodeLabelValuesRequest(call.request().view));
                    if (request.label.empty()) {
                      return InvalidArgument("label name parameter cannot be empty");
                    }
                    ASSIGN_OR_RETURN(const wire::LabelsResponse response,
                                     service->store.LabelValues(service->ContextOf(call), request));
                    return SendMessage(call, wire::Encode(response));
                  });
}

void RegisterInfo(Server& server, InfoSource info) {
  server.Register("/thanos.info.Info/Info", Server::Kind::kUnary,
                  [info = std::move(info)](ServerCall& call) -> Status {
                    ASSIGN_OR_RETURN(const wire::InfoResponse response, info(call.context()));
                    return SendMessage(call, wire::Encode(response));
                  });
}

}  // namespace aevum::store
