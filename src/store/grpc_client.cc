#include "store/grpc_client.h"

#include <chrono>
#include <string>
#include <utility>

#include "net/grpc/client.h"
#include "store/grpc_server.h"
#include "wire/series_footprint.h"

namespace aevum::store {
namespace {

using net::grpc::Channel;
using net::grpc::ClientCall;

// A batch is given out at this many series, or bytes, or after this time: what waits longer for a
// message must not keep back what is there.
constexpr std::size_t kBatchSeries = 256;
constexpr std::size_t kBatchBytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds kBatchTime{5};
// Below it what a message becomes is small whatever it holds.
constexpr std::size_t kLargeMessageBytes = std::size_t{64} << 10;

// Of a store that speaks for a hundred thousand others it has some ten.
constexpr std::size_t kMaxInfoBytes = std::size_t{16} << 20;

// Damage of a peer's answer, whatever the decoder calls it.
template <typename T>
StatusOr<T> AsDamage(StatusOr<T> decoded) {
  if (decoded.ok()) return decoded;
  return MakeError(StatusCode::kDataLoss, std::string(decoded.status().message()));
}

class GrpcStream final : public SeriesStream {
 public:
  // The channel must live as long as the call. The budget may be null.
  GrpcStream(std::shared_ptr<Channel> channel, std::unique_ptr<ClientCall> call,
             std::shared_ptr<MemoryBudget> budget)
      : channel_(std::move(channel)), call_(std::move(call)), budget_(std::move(budget)) {}

  StatusOr<bool> Next(wire::SeriesBatch* batch) override {
    batch->Clear();
    const auto start = std::chrono::steady_clock::now();
    std::size_t bytes = 0;
    while (call_) {
      StatusOr<std::optional<SharedBytes>> message = call_->Next();
      Status status = message.status();
      if (status.ok() && *message) {
        bytes += (*message)->size();
        status = Decode(**message, batch);
      }
      if (!status.ok() || !*message) {
        end_ = std::move(status);
        over_budget_ = over_budget_ || call_->over_budget();
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

  bool over_budget() const override { return over_budget_; }

 private:
  // What a large message becomes is charged while it is decoded: the few bytes of many labels and
  // chunks without contents would take many times the memory. Then it is the reader's to charge.
  Status Decode(const SharedBytes& message, wire::SeriesBatch* batch) {
    MemoryCharge charge(budget_);
    if (budget_ && message.size() > kLargeMessageBytes) {
      const std::int64_t footprint = wire::SeriesFootprint(message.view);
      if (Status status = charge.Add(footprint, "a decoded message"); !status.ok()) {
        // One that no request could hold is the fault of who sent it.
        over_budget_ = footprint <= budget_->limit_bytes();
        return status;
      }
    }
    return wire::DecodeSeriesResponse(message, batch);
  }

  const std::shared_ptr<Channel> channel_;
  std::unique_ptr<ClientCall> call_;  // null at the end
  const std::shared_ptr<MemoryBudget> budget_;
  Status end_;
  bool over_budget_ = false;
};

}  // namespace

GrpcStore::GrpcStore(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {}

StatusOr<std::unique_ptr<SeriesStream>> GrpcStore::Series(const Context& context,
                                                          const wire::SeriesRequest& request) {
  return std::make_unique<GrpcStream>(
      channel_,
      channel_->Start(context, "/thanos.Store/Series", SharedBytes::Own(wire::Encode(request)),
                      {{std::string(kStartTimestampsKey), std::string(kStartTimestampsValue)}}),
      context.budget());
}

StatusOr<wire::LabelsResponse> GrpcStore::LabelNames(const Context& context,
                                                     const wire::LabelNamesRequest& request) {
  ASSIGN_OR_RETURN(const SharedBytes answer,
                   channel_->Unary(context, "/thanos.Store/LabelNames",
                                   SharedBytes::Own(wire::Encode(request))));
  return AsDamage(wire::DecodeLabelsResponse(answer.view));
}

StatusOr<wire::LabelsResponse> GrpcStore::LabelValues(const Context& context,
                                                      const wire::LabelValuesRequest& request) {
  ASSIGN_OR_RETURN(const SharedBytes answer,
                   channel_->Unary(context, "/thanos.Store/LabelValues",
                                   SharedBytes::Own(wire::Encode(request))));
  return AsDamage(wire::DecodeLabelsResponse(answer.view));
}

StatusOr<wire::InfoResponse> GrpcStore::Info(const Context& context) {
  ASSIGN_OR_RETURN(const SharedBytes answer,
                   channel_->Unary(context, "/thanos.info.Info/Info", SharedBytes::Own(""),
                                   {.max_bytes = kMaxInfoBytes}));
  return AsDamage(wire::DecodeInfoResponse(answer.view));
}

}  // namespace aevum::store
