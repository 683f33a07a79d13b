#include "store/grpc_client.h"

#include <chrono>
#include <string>
#include <utility>

#include "net/grpc/client.h"
#include "store/grpc_server.h"

namespace aevum::store {
namespace {

using net::grpc::Channel;
using net::grpc::ClientCall;

// A batch is given out at this many series, or bytes, or after this time: what waits longer for a
// message must not keep back what is there.
constexpr std::size_t kBatchSeries = 256;
constexpr std::size_t kBatchBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kBatchTime{5};

// Of a store that speaks for a hundred thousand others it has some ten.
constexpr std::size_t kMaxInfoBytes = std::size_t{16} << 20;

// An answer that alone is more than the request may hold need not come whole.
std::size_t MaxBytes(const Context& context) {
  return context.budget() ? static_cast<std::size_t>(context.budget()->limit_bytes()) : SIZE_MAX;
}

// Damage of a peer's answer, whatever the decoder calls it.
template <typename T>
StatusOr<T> AsDamage(StatusOr<T> decoded) {
  if (decoded.ok()) return decoded;
  return MakeError(StatusCode::kDataLoss, std::string(decoded.status().message()));
}

class GrpcStream final : public SeriesStream {
 public:
  // The channel must live as long as the call.
  GrpcStream(std::shared_ptr<Channel> channel, std::unique_ptr<ClientCall> call)
      : channel_(std::move(channel)), call_(std::move(call)) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    const auto start = std::chrono::steady_clock::now();
    std::size_t bytes = 0;
    while (call_) {
      StatusOr<std::optional<SharedBytes>> message = call_->Next();
      Status status = message.status();
      if (status.ok() && *message) {
        bytes += (*message)->size();
        status = wire::DecodeSeriesResponse(**message, batch);
      }
      if (!status.ok() || !*message) {
        end_ = std::move(status);
        call_.reset();
        break;
      }
      if (batch->empty()) continue;  // hints
      if (batch->series.size() >= kBatchSeries || bytes >= kBatchBytes ||
          std::chrono::steady_clock::now() - start >= kBatchTime) {
        return true;
      }
    }
    // What came before the end or the error is given out first.
    if (!batch->series.empty()) return true;
    RETURN_IF_ERROR(end_);
    return false;
  }

 private:
  const std::shared_ptr<Channel> channel_;
  std::unique_ptr<ClientCall> call_;  // null at the end
  Status end_;
};

}  // namespace

GrpcStore::GrpcStore(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

StatusOr<std::unique_ptr<SeriesStream>> GrpcStore::Series(const Context& context,
                                                          const wire::SeriesRequest& request) {
  return std::make_unique<GrpcStream>(
      channel_,
      channel_->Start(context, "/thanos.Store/Series", SharedBytes::Own(wire::Encode(request)),
                      {{std::string(kStartTimestampsKey), std::string(kStartTimestampsValue)}}));
}

StatusOr<wire::LabelsResponse> GrpcStore::LabelNames(const Context& context,
                                                     const wire::LabelNamesRequest& request) {
  ASSIGN_OR_RETURN(
      const SharedBytes answer,
      channel_->Unary(context, "/thanos.Store/LabelNames", SharedBytes::Own(wire::Encode(request)),
                      {.max_bytes = MaxBytes(context)}));
  return AsDamage(wire::DecodeLabelsResponse(answer.view));
}

StatusOr<wire::LabelsResponse> GrpcStore::LabelValues(const Context& context,
                                                      const wire::LabelValuesRequest& request) {
  ASSIGN_OR_RETURN(
      const SharedBytes answer,
      channel_->Unary(context, "/thanos.Store/LabelValues", SharedBytes::Own(wire::Encode(request)),
                      {.max_bytes = MaxBytes(context)}));
  return AsDamage(wire::DecodeLabelsResponse(answer.view));
}

StatusOr<wire::InfoResponse> GrpcStore::Info(const Context& context) {
  ASSIGN_OR_RETURN(const SharedBytes answer,
                   channel_->Unary(context, "/thanos.info.Info/Info", SharedBytes::Own(""),
                                   {.max_bytes = kMaxInfoBytes}));
  return AsDamage(wire::DecodeInfoResponse(answer.view));
}

}  // namespace aevum::store
