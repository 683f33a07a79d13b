#include "query/remote_querier.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "net/grpc/client.h"
#include "store/proxy.h"
#include "wire/query_api.h"

namespace aevum::query {
namespace {

using net::grpc::Channel;
using net::grpc::ClientCall;

constexpr std::int64_t kSecond = 1000;
// Series that the peer is asked to put into a message.
constexpr std::int64_t kBatchSeries = 64;
// Of a message with so many: 11,000 steps of them with floats have 14 MiB.
constexpr std::int64_t kMaxMessageBytes = std::int64_t{256} << 20;

class RowStream final : public promql::RemoteStream {
 public:
  // The channel must live as long as the call.
  RowStream(Context context, promql::RemoteQuestion question, std::shared_ptr<Channel> channel,
            std::unique_ptr<ClientCall> call, std::function<void(std::string)> on_missing)
      : context_(std::move(context)),
        question_(std::move(question)),
        channel_(std::move(channel)),
        call_(std::move(call)),
        on_missing_(std::move(on_missing)) {}

  StatusOr<bool> Next(promql::RowBatch* out) override {
    StatusOr<bool> more = Pull(out);
    // A peer that can't evaluate its part lacks nothing: the query is evaluated here. Nor does one
    // whose answer the budget can't hold.
    if (!more.ok() && more.status().code() != StatusCode::kUnimplemented && !call_->over_budget() &&
        context_.status().ok())
      on_missing_(std::string(more.status().message()));
    return more;
  }

  std::vector<std::string> warnings() const override { return warnings_; }
  std::int64_t samples() const override { return samples_; }

 private:
  StatusOr<bool> Pull(promql::RowBatch* out) {
    out->Reset(question_.steps, context_.budget());
    while (out->empty()) {
      ASSIGN_OR_RETURN(const std::optional<SharedBytes> message, call_->Next());
      if (!message) return false;
      ASSIGN_OR_RETURN(const wire::QueryApiResponse response,
                       wire::DecodeQueryResponse(message->view));
      if (!response.warnings.empty()) warnings_.push_back(response.warnings);
      if (response.stats) samples_ += response.stats->samples_total;
      for (const wire::QuerySeries& series : response.series) RETURN_IF_ERROR(AddRow(series, out));
    }
    return true;
  }

  Status AddRow(const wire::QuerySeries& series, promql::RowBatch* out) const {
    RETURN_IF_ERROR(out->Add(series.labels, "rows of other queriers"));
    const std::size_t row = out->size() - 1;
    for (std::size_t i = 0; i < series.times.size(); ++i) {
      ASSIGN_OR_RETURN(const std::size_t step, StepOf(series.times[i]));
      out->values(row)[step] = series.values[i];
      out->present(row)[step] = 1;
    }
    for (std::size_t i = 0; i < series.histograms.size(); ++i) {
      ASSIGN_OR_RETURN(const std::size_t step, StepOf(series.histogram_times[i]));
      RETURN_IF_ERROR(out->SetHistogram(
          row, step, std::make_shared<model::FloatHistogram>(series.histograms[i]),
          "rows of other queriers"));
    }
    return OkStatus();
  }

  StatusOr<std::size_t> StepOf(TimestampMs time) const {
    if (time < question_.start || time > question_.end() ||
        (time - question_.start) % question_.step_ms != 0)
      return Corruption("a value at {}, which is not a step of the query", time);
    return static_cast<std::size_t>((time - question_.start) / question_.step_ms);
  }

  const Context context_;
  const promql::RemoteQuestion question_;
  const std::shared_ptr<Channel> channel_;
  const std::unique_ptr<ClientCall> call_;
  const std::function<void(std::string)> on_missing_;
  std::vector<std::string> warnings_;
  std::int64_t samples_ = 0;
};

}  // namespace

RemoteQuerier::RemoteQuerier(const store::StoreClient& client, std::shared_ptr<Channel> channel,
                             RemoteQueryOptions options)
    : address_(client.address),
      label_sets_(client.label_sets),
      channel_(std::move(channel)),
      options_(std::move(options)) {}

std::unique_ptr<promql::RemoteStream> RemoteQuerier::Execute(
    const Context& context, const promql::RemoteQuestion& question) {
  wire::QueryRangeRequest request;
  request.query = question.query;
  request.start_seconds = question.start / kSecond;
  request.end_seconds = question.end() / kSecond;
  request.interval_seconds = question.step_ms / kSecond;
  request.lookback_delta_seconds = question.lookback_ms / kSecond;
  if (context.deadline() != Context::TimePoint::max()) {
    request.timeout_seconds = std::chrono::ceil<std::chrono::seconds>(context.remaining()).count();
  }
  // 0 would be the peer's default; at a second there is no downsampled data.
  request.max_resolution_seconds =
      std::max<std::int64_t>(1, options_.max_source_resolution_ms / kSecond);
  request.replica_labels = options_.replica_labels;
  // None would be the peer's own labels.
  request.enable_dedup = options_.dedup && !options_.replica_labels.empty();
  request.enable_partial_response = options_.partial_response;
  request.engine = wire::QueryEngine::kPrometheus;
  request.response_batch_size = kBatchSeries;
  const auto on_missing = [missing = options_.missing, address = address_, labels = label_sets_,
                           first = question.start, last = question.end()](std::string error) {
    if (missing) {
      missing->Add({.endpoint = address,
                    .label_sets = labels,
                    .min_time = first,
                    .max_time = last,
                    .error = std::move(error)});
    }
  };
  const auto received =
      std::make_shared<MemoryBudget>("one querier's", kMaxMessageBytes, context.budget());
  return std::make_unique<RowStream>(
      context, question, channel_,
      channel_->Start(context.WithBudget(received), "/thanos.Query/QueryRange",
                      SharedBytes::Own(wire::Encode(request))),
      on_missing);
}

}  // namespace aevum::query
