// Both ends of the StoreAPI against each other, over loopback.
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "net/grpc/client.h"
#include "net/grpc/server.h"
#include "store/grpc_client.h"
#include "store/grpc_server.h"
#include "store/proxy.h"
#include "store/testing/fake_store.h"

namespace aevum::store {
namespace {

using testing::Drain;
using ::testing::ElementsAre;
using testing::FakeSeries;
using testing::FakeStore;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class GrpcStoreTest : public ::testing::Test {
 protected:
  void Start() {
    server_.emplace(net::grpc::ServerOptions{.address = "127.0.0.1:0"}, Logger(), metrics_);
    RegisterStore(*server_, fake_, metrics_);
    RegisterInfo(*server_, [this](const Context& context) -> StatusOr<wire::InfoResponse> {
      if (!ready_) return Unavailable("not ready");
      return fake_.Info(context);
    });
    ASSERT_TRUE(server_->Start().ok());
    channel_ = std::make_shared<net::grpc::Channel>(
        runtime_,
        net::grpc::ChannelOptions{.address = fmt::format("127.0.0.1:{}", server_->port())});
    client_ = std::make_unique<GrpcStore>(channel_);
  }
  void TearDown() override {
    if (server_) server_->Stop(std::chrono::milliseconds(0));
  }

  static Context Soon() { return Context::Background().WithTimeout(std::chrono::seconds(20)); }
  static wire::SeriesRequest Request() {
    wire::SeriesRequest request;
    request.max_time = 100;
    request.matchers = {*model::Matcher::Create(model::MatchType::kRegex, "i", ".+")};
    return request;
  }
  static std::vector<FakeSeries> Numbered(int count) {
    std::vector<FakeSeries> series;
    for (int i = 0; i < count; ++i) {
      series.push_back({model::Labels::Of({{"i", fmt::format("{:05}", i)}}),
                        {{.min_time = i,
                          .max_time = i + 1,
                          .data = "payload",
                          .encoding = chunk::Encoding::kXor}}});
    }
    return series;
  }

  FakeStore fake_;
  bool ready_ = true;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::optional<net::grpc::Server> server_;
  net::grpc::ClientRuntime runtime_{1, std::make_shared<prometheus::Registry>()};
  std::shared_ptr<net::grpc::Channel> channel_;
  std::unique_ptr<GrpcStore> client_;
};

TEST_F(GrpcStoreTest, CarriesSeriesAndWarnings) {
  fake_.series = Numbered(1000);
  fake_.batch_size = 300;
  fake_.warnings = {"a warning"};
  Start();
  for (const std::int64_t batch_size : {0, 1, 64, 1'000'000}) {
    SCOPED_TRACE(batch_size);
    wire::SeriesRequest request = Request();
    request.response_batch_size = batch_size;
    auto stream = client_->Series(Soon(), request);
    ASSERT_TRUE(stream.ok());
    Status status;
    const wire::SeriesBatch all = Drain(**stream, &status);
    EXPECT_TRUE(status.ok()) << status;
    ASSERT_THAT(all.series, SizeIs(1000));
    EXPECT_THAT(all.warnings, ElementsAre("a warning"));
    for (std::size_t i = 0; i < all.series.size(); ++i) {
      EXPECT_EQ(all.series[i].labels, fake_.series[i].labels);
      ASSERT_THAT(all.ChunksOf(all.series[i]), SizeIs(1));
      EXPECT_EQ(all.ChunksOf(all.series[i])[0].data, "payload");
      EXPECT_EQ(all.ChunksOf(all.series[i])[0].min_time, static_cast<TimestampMs>(i));
    }
  }
  wire::SeriesRequest labels_only = Request();
  labels_only.skip_chunks = true;
  Status status;
  const wire::SeriesBatch all = Drain(**client_->Series(Soon(), labels_only), &status);
  EXPECT_THAT(all.series, SizeIs(1000));
  EXPECT_THAT(all.chunks, SizeIs(0));
}

TEST_F(GrpcStoreTest, AnswersOfOneMessageAreBounded) {
  fake_.series = Numbered(1000);
  fake_.info.label_sets = {model::Labels::Of({{"a", std::string(std::size_t{17} << 20, 'x')}})};
  Start();
  const StatusOr<wire::InfoResponse> info = client_->Info(Soon());
  EXPECT_EQ(info.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(info.status().message()),
              HasSubstr("received message larger than max: 17"));
  wire::LabelValuesRequest values;
  values.label = "i";
  values.end = 100'000;
  const auto within = [&](std::int64_t bytes) {
    return client_
        ->LabelValues(Soon().WithBudget(std::make_shared<MemoryBudget>("query", bytes)), values)
        .status();
  };
  EXPECT_TRUE(within(10'000).ok());
  EXPECT_EQ(within(1000).code(), StatusCode::kResourceExhausted);
}

// An XOR2 chunk of one sample with a start timestamp; both times below 64.
TEST_F(GrpcStoreTest, RewritesChunksForPeersThatDoNotReadStartTimestamps) {
  const std::string bytes("\x00\x01\x80\x14\x3f\xf0\0\0\0\0\0\0\x0a", 13);
  fake_.series = {
      {model::Labels::Of({{"i", "1"}}),
       {{.min_time = 10, .max_time = 10, .data = bytes, .encoding = chunk::Encoding::kXor2}}}};
  Start();
  Status status;
  const wire::SeriesBatch ours = Drain(**client_->Series(Soon(), Request()), &status);
  ASSERT_THAT(ours.chunks, SizeIs(1)) << status;
  EXPECT_EQ(ours.chunks[0].encoding, chunk::Encoding::kXor2);
  EXPECT_EQ(ours.chunks[0].data, bytes);

  const auto call =
      channel_->Start(Soon(), "/thanos.Store/Series", SharedBytes::Own(wire::Encode(Request())));
  const auto message = call->Next();
  ASSERT_TRUE(message.ok() && *message);
  wire::SeriesBatch others;
  ASSERT_TRUE(wire::DecodeSeriesResponse(**message, &others).ok());
  ASSERT_THAT(others.chunks, SizeIs(1));
  EXPECT_EQ(others.chunks[0].encoding, chunk::Encoding::kXor);
  chunk::Columns samples;
  ASSERT_TRUE(chunk::Decode(chunk::Encoding::kXor, others.chunks[0].data, &samples).ok());
  EXPECT_THAT(samples.times, ElementsAre(10));
  EXPECT_THAT(samples.values, ElementsAre(1));
}

TEST_F(GrpcStoreTest, CarriesErrors) {
  fake_.series = Numbered(10);
  fake_.fail_after = 4;
  fake_.stream_error = ResourceExhausted("too much");
  Start();
  Status status;
  EXPECT_THAT(Drain(**client_->Series(Soon(), Request()), &status).series, SizeIs(4));
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "too much");

  wire::SeriesRequest nothing = Request();
  nothing.matchers.clear();
  Drain(**client_->Series(Soon(), nothing), &status);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(client_->LabelValues(Soon(), {}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(GrpcStoreTest, CarriesLabelsAndInfo) {
  fake_.series = Numbered(3);
  fake_.info.component_type = "sidecar";
  fake_.info.label_sets = {model::Labels::Of({{"region", "eu"}})};
  fake_.info.store = wire::StoreInfo{.min_time = 1, .max_time = 2};
  ready_ = false;
  Start();
  EXPECT_EQ(client_->Info(Soon()).status().code(), StatusCode::kUnavailable);
  ready_ = true;
  const StatusOr<wire::InfoResponse> info = client_->Info(Soon());
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->component_type, "sidecar");
  EXPECT_EQ(info->store->max_time, 2);
  EXPECT_THAT(client_->LabelNames(Soon(), {})->strings, ElementsAre("i"));
  wire::LabelValuesRequest values;
  values.label = "i";
  EXPECT_THAT(client_->LabelValues(Soon(), values)->strings,
              ElementsAre("00000", "00001", "00002"));
}

TEST_F(GrpcStoreTest, ServerThatStopsInTheMiddleIsNamedByTheProxy) {
  fake_.series = Numbered(10);
  fake_.fail_after = 5;
  fake_.hangs = true;
  fake_.batch_size = 5;
  Start();
  auto clients = std::make_shared<StoreClients>();
  clients->push_back({.store = std::make_shared<GrpcStore>(channel_),
                      .address = channel_->address(),
                      .supports_sharding = true,
                      .supports_without_replica_labels = true});
  auto local = std::make_shared<FakeStore>(Numbered(2));
  clients->push_back({.store = local, .address = "local:1"});
  Proxy proxy({}, [&] { return clients; }, Logger(), std::make_shared<prometheus::Registry>());
  auto stream = proxy.Series(Soon(), Request());
  ASSERT_TRUE(stream.ok());
  std::thread stopper([&] {
    while (fake_.series_requests().empty()) std::this_thread::yield();
    server_->Stop(std::chrono::milliseconds(0));
  });
  Status status;
  const wire::SeriesBatch all = Drain(**stream, &status);
  stopper.join();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(all.warnings, ElementsAre(HasSubstr(channel_->address())));
  EXPECT_GE(all.series.size(), 2U);
}

// A budget that others have used up fails the request; a message that no request could hold is the
// fault of its store, and the others answer.
TEST_F(GrpcStoreTest, LargeMessagesMeetTheBudget) {
  const std::string large(std::size_t{2} << 20, 'x');
  fake_.series = {{model::Labels::Of({{"i", "1"}}),
                   {{.max_time = 1, .data = large, .encoding = chunk::Encoding::kXor}}}};
  Start();
  auto clients = std::make_shared<StoreClients>();
  clients->push_back(
      {.store = std::make_shared<GrpcStore>(channel_), .address = channel_->address()});
  clients->push_back({.store = std::make_shared<FakeStore>(Numbered(2)), .address = "local:1"});
  Proxy proxy({}, [&] { return clients; }, Logger(), std::make_shared<prometheus::Registry>());
  const auto ask = [&](std::int64_t limit, std::int64_t used, Status* status) {
    const auto budget = std::make_shared<MemoryBudget>("query", limit);
    EXPECT_TRUE(budget->Charge(used, "others").ok());
    return Drain(**proxy.Series(Soon().WithBudget(budget), Request()), status);
  };
  Status status;
  EXPECT_THAT(ask(8 << 20, 0, &status).series, SizeIs(3));
  EXPECT_TRUE(status.ok()) << status;

  ask(8 << 20, 7 << 20, &status);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the answer to a call asks for"));

  const wire::SeriesBatch partial = ask(1 << 20, 0, &status);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(partial.series, SizeIs(2));
  EXPECT_THAT(partial.warnings, ElementsAre(HasSubstr("received message larger than max")));
  EXPECT_THAT(partial.warnings, ElementsAre(HasSubstr(channel_->address())));
}

TEST_F(GrpcStoreTest, PeerThatIsNotThereIsNamedByTheProxy) {
  Start();
  const std::string address = channel_->address();
  server_->Stop(std::chrono::milliseconds(0));
  auto clients = std::make_shared<StoreClients>();
  clients->push_back({.store = std::make_shared<GrpcStore>(channel_), .address = address});
  Proxy proxy({}, [&] { return clients; }, Logger(), std::make_shared<prometheus::Registry>());
  wire::SeriesRequest request = Request();
  Status status;
  EXPECT_THAT(Drain(**proxy.Series(Soon(), request), &status).warnings,
              ElementsAre(HasSubstr("fetch series for Store Gateway Addr: " + address)));
  request.partial_response = wire::PartialResponse::kAbort;
  Drain(**proxy.Series(Soon(), request), &status);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace aevum::store
