// A store behind gRPC.
#pragma once

#include <memory>

#include "store/store.h"

namespace aevum::net::grpc {
class Channel;
}

namespace aevum::store {

// Calls of thanos.Store and thanos.info.Info over a channel. Series never blocks; its stream joins
// small messages that are there into one batch. Errors are the peer's, with code and message as
// they came; bytes that are not the message are DataLoss. Who asked has to say whom. Thread-safe.
class GrpcStore final : public Store {
 public:
  explicit GrpcStore(std::shared_ptr<net::grpc::Channel> channel);

  StatusOr<std::unique_ptr<SeriesStream>> Series(const Context& context,
                                                 const wire::SeriesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelNames(const Context& context,
                                            const wire::LabelNamesRequest& request) override;
  StatusOr<wire::LabelsResponse> LabelValues(const Context& context,
                                             const wire::LabelValuesRequest& request) override;
  StatusOr<wire::InfoResponse> Info(const Context& context) override;

 private:
  const std::shared_ptr<net::grpc::Channel> channel_;
};

}  // namespace aevum::store
