// Another querier, asked in PromQL over gRPC.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "promql/engine/remote.h"
#include "store/missing.h"

namespace aevum::net::grpc {
class Channel;
}

namespace aevum::query {

// How the other querier is to read its stores: as this one would.
struct RemoteQueryOptions {
  std::vector<std::string> replica_labels;
  bool dedup = true;
  bool partial_response = true;
  std::int64_t max_source_resolution_ms = 0;
  // Learns of queriers that fail; may be null.
  std::shared_ptr<store::MissingParts> missing = nullptr;
};

// Calls of thanos.Query/QueryRange over a channel. Rows come as the messages do; one message is
// held at a time. Errors are the peer's; an answer that does not fit the question is DataLoss.
// Thread-safe.
class RemoteQuerier final : public promql::RemoteEngine {
 public:
  // `client` is the endpoint as a store.
  RemoteQuerier(const store::StoreClient& client, std::shared_ptr<net::grpc::Channel> channel,
                RemoteQueryOptions options);

  std::unique_ptr<promql::RemoteStream> Execute(const Context& context,
                                                const promql::RemoteQuestion& question) override;
  const std::string& name() const override { return address_; }

 private:
  const std::string address_;
  const std::vector<model::Labels> label_sets_;
  const std::shared_ptr<net::grpc::Channel> channel_;
  const RemoteQueryOptions options_;
};

}  // namespace aevum::query
