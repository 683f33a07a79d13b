// Stores behind real gRPC servers on loopback, for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "chunk/xor.h"
#include "net/grpc/server.h"
#include "store/grpc_server.h"
#include "store/testing/fake_store.h"

namespace aevum::query::testing {

// Any store as an endpoint; it must outlive this.
class StoreEndpoint {
 public:
  explicit StoreEndpoint(store::Store& store, const std::string& address = "127.0.0.1:0",
                         const net::grpc::ServerTls& tls = {})
      : server_(Options(address, tls), Logger(), metrics_) {
    store::RegisterStore(server_, store, metrics_);
    store::RegisterInfo(server_, [&store](const Context& context) { return store.Info(context); });
    EXPECT_TRUE(server_.Start().ok());
    server_.SetServing(true);
  }
  ~StoreEndpoint() { Stop(); }
  void Stop() { server_.Stop(std::chrono::milliseconds(0)); }
  std::uint16_t port() const { return static_cast<std::uint16_t>(server_.port()); }
  std::string address() const { return fmt::format("127.0.0.1:{}", server_.port()); }

 private:
  static net::grpc::ServerOptions Options(const std::string& address,
                                          const net::grpc::ServerTls& tls) {
    net::grpc::ServerOptions options;
    options.address = address;
    options.tls = tls;
    return options;
  }
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  net::grpc::Server server_;
};

// A store in memory as an endpoint.
class StoreServer {
 public:
  explicit StoreServer(std::vector<store::testing::FakeSeries> series,
                       model::Labels external = model::Labels::Of({{"cluster", "a"}}),
                       const std::string& address = "127.0.0.1:0",
                       const net::grpc::ServerTls& tls = {})
      : store_(std::move(series)) {
    store_.info.component_type = "sidecar";
    store_.info.label_sets = {std::move(external)};
    store_.info.store = wire::StoreInfo{.min_time = kMinTime,
                                        .max_time = kMaxTime,
                                        .supports_sharding = true,
                                        .supports_without_replica_labels = true};
    endpoint_ = std::make_unique<StoreEndpoint>(store_, address, tls);
  }
  void Stop() { endpoint_->Stop(); }
  std::uint16_t port() const { return endpoint_->port(); }
  std::string address() const { return endpoint_->address(); }
  store::testing::FakeStore& store() { return store_; }

 private:
  store::testing::FakeStore store_;
  std::unique_ptr<StoreEndpoint> endpoint_;
};

// A chunk with the value 1 every second of the first minute.
inline const std::string& Minute() {
  static const std::string bytes = [] {
    chunk::XorEncoder encoder;
    for (TimestampMs t = 0; t <= 60'000; t += 1'000) encoder.Append(t, 1);
    return encoder.Bytes();
  }();
  return bytes;
}

inline store::testing::FakeSeries Up(std::initializer_list<model::Label> labels) {
  std::vector<model::Label> all(labels);
  all.push_back({"__name__", "up"});
  return {
      model::Labels::FromUnsorted(all),
      {{.min_time = 0, .max_time = 60'000, .data = Minute(), .encoding = chunk::Encoding::kXor}}};
}

}  // namespace aevum::query::testing
