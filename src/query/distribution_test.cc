// Queriers over queriers: thanos.Query on real gRPC servers on loopback.
#include "query/distribution.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "chunk/xor.h"
#include "net/grpc/client.h"
#include "net/grpc/server.h"
#include "query/query.h"
#include "query/query_service.h"
#include "store/grpc_server.h"
#include "store/testing/fake_store.h"
#include "wire/query_api.h"

namespace aevum::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

net::grpc::ServerOptions AnyPort() {
  net::grpc::ServerOptions options;
  options.address = "127.0.0.1:0";
  return options;
}

// A counter of the first five minutes, a sample each 15 s.
std::string Counter(double slope) {
  chunk::XorEncoder encoder;
  for (int i = 0; i <= 20; ++i) encoder.Append(i * 15'000, i * slope);
  return encoder.Bytes();
}

// A store with the counter of a cluster, as two replicas and two pods.
class StoreServer {
 public:
  explicit StoreServer(const std::string& cluster, double slope)
      : first_(Counter(slope)), second_(Counter(slope * 3)) {
    for (const char* replica : {"0", "1"}) {
      for (const char* pod : {"a", "b"}) {
        store_.series.push_back({model::Labels::Of({{"__name__", "x_total"},
                                                    {"cluster", cluster},
                                                    {"pod", pod},
                                                    {"replica", replica}}),
                                 {{.min_time = 0,
                                   .max_time = 300'000,
                                   .data = pod[0] == 'a' ? first_ : second_,
                                   .encoding = chunk::Encoding::kXor}}});
      }
    }
    store_.info.component_type = "sidecar";
    store_.info.store = wire::StoreInfo{.min_time = 0,
                                        .max_time = 300'000,
                                        .supports_sharding = true,
                                        .supports_without_replica_labels = true};
    for (const char* replica : {"0", "1"}) {
      const auto labels = model::Labels::Of({{"cluster", cluster}, {"replica", replica}});
      store_.info.label_sets.push_back(labels);
      store_.info.store->tsdb_infos.push_back(
          {.labels = labels, .min_time = 0, .max_time = 300'000});
    }
    store::RegisterStore(server_, store_, metrics_);
    store::RegisterInfo(server_, [this](const Context& context) { return store_.Info(context); });
    EXPECT_TRUE(server_.Start().ok());
  }
  ~StoreServer() { server_.Stop(std::chrono::milliseconds(0)); }
  std::string address() const { return fmt::format("127.0.0.1:{}", server_.port()); }
  store::testing::FakeStore& store() { return store_; }

 private:
  const std::string first_, second_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  store::testing::FakeStore store_;
  net::grpc::Server server_{AnyPort(), Logger(), metrics_};
};

// A querier with its services.
class QuerierServer {
 public:
  explicit QuerierServer(const std::vector<std::string>& endpoints, bool distributed = false)
      : querier_(Options(endpoints, distributed), Logger(), metrics_) {
    store::RegisterStore(server_, querier_.store(), metrics_);
    store::RegisterInfo(server_, [this](const Context& context) -> StatusOr<wire::InfoResponse> {
      ASSIGN_OR_RETURN(wire::InfoResponse info, querier_.store().Info(context));
      info.query = true;
      return info;
    });
    QueryServiceOptions options;
    options.defaults.replica_labels = {"replica"};
    RegisterQuery(server_, querier_.evaluator(), options);
    EXPECT_TRUE(server_.Start().ok());
    std::promise<void> ready;
    EXPECT_TRUE(querier_.Start([&] { ready.set_value(); }).ok());
    ready.get_future().wait();
  }
  ~QuerierServer() { Stop(); }
  void Stop() {
    server_.Stop(std::chrono::milliseconds(0));
    querier_.Stop();
  }
  std::string address() const { return fmt::format("127.0.0.1:{}", server_.port()); }

  StatusOr<promql::QueryResult> Range(const std::string& query, bool partial_response = true) {
    QueryParams params;
    params.query = query;
    params.instant = false;
    params.start = 60'000;
    params.end = 300'000;
    params.step_ms = 30'000;
    params.replica_labels = {"replica"};
    params.partial_response = partial_response;
    params.timeout = std::chrono::seconds(30);
    params.analyzable = true;
    return querier_.evaluator().Evaluate(Context::Background(), params);
  }

 private:
  static QueryOptions Options(const std::vector<std::string>& endpoints, bool distributed) {
    QueryOptions options;
    for (const std::string& address : endpoints)
      options.endpoints.endpoints.push_back({.address = address});
    options.endpoints.info_timeout = std::chrono::seconds(60);
    options.api.distribution.enabled = distributed;
    return options;
  }

  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  Query querier_;
  net::grpc::Server server_{AnyPort(), Logger(), metrics_};
};

class DistributionTest : public ::testing::Test {
 protected:
  // The frames of an answer.
  template <typename Request>
  std::vector<wire::QueryApiResponse> Ask(const std::string& method, const Request& request,
                                          Status* end) {
    net::grpc::ChannelOptions options;
    options.address = eu_.address();
    net::grpc::Channel channel(runtime_, options);
    const auto call =
        channel.Start(Context::Background().WithTimeout(std::chrono::seconds(30)),
                      "/thanos.Query/" + method, SharedBytes::Own(wire::Encode(request)));
    std::vector<wire::QueryApiResponse> frames;
    while (true) {
      auto message = call->Next();
      *end = message.status();
      if (!message.ok() || !*message) return frames;
      auto frame = wire::DecodeQueryResponse((*message)->view);
      EXPECT_TRUE(frame.ok()) << frame.status();
      frames.push_back(*std::move(frame));
    }
  }

  net::grpc::ClientRuntime runtime_{1, std::make_shared<prometheus::Registry>()};
  StoreServer eu_store_{"eu", 1.1};
  StoreServer us_store_{"us", 0.7};
  QuerierServer eu_{{eu_store_.address()}};
  QuerierServer us_{{us_store_.address()}};
};

void ExpectSame(const StatusOr<promql::QueryResult>& ours,
                const StatusOr<promql::QueryResult>& theirs) {
  ASSERT_TRUE(ours.ok()) << ours.status();
  ASSERT_TRUE(theirs.ok()) << theirs.status();
  ASSERT_EQ(ours->rows.size(), theirs->rows.size());
  ASSERT_GT(ours->rows.size(), 0u);
  for (std::size_t i = 0; i < ours->rows.size(); ++i) {
    EXPECT_EQ(ours->rows.labels(i), theirs->rows.labels(i));
    for (std::size_t k = 0; k < ours->rows.steps(); ++k)
      EXPECT_EQ(ours->rows.values(i)[k], theirs->rows.values(i)[k]);
  }
}

TEST_F(DistributionTest, ARootThatDistributesGivesWhatOneThatReadsGives) {
  QuerierServer local({eu_.address(), us_.address()});
  QuerierServer root({eu_.address(), us_.address()}, /*distributed=*/true);
  for (const char* query :
       {"sum by (cluster) (rate(x_total[1m]))", "sum(rate(x_total[1m]))", "max(x_total)",
        "topk(3, rate(x_total[1m]))", "count(x_total)",
        "rate(x_total[1m]) / on (cluster) group_left () sum by (cluster) (rate(x_total[1m]))"}) {
    SCOPED_TRACE(query);
    ExpectSame(root.Range(query), local.Range(query));
  }
}

TEST_F(DistributionTest, AStoreBesideTheQueriersIsReadHere) {
  StoreServer asia("asia", 2);
  QuerierServer local({eu_.address(), asia.address()});
  QuerierServer root({eu_.address(), asia.address()}, /*distributed=*/true);
  for (const char* query : {"sum(rate(x_total[1m]))", "sum(rate(x_total{cluster=\"eu\"}[1m]))",
                            "count by (cluster) (x_total)"}) {
    SCOPED_TRACE(query);
    ExpectSame(root.Range(query), local.Range(query));
  }
}

TEST_F(DistributionTest, QueriersOverQueriersOverQueriers) {
  QuerierServer middle({eu_.address(), us_.address()}, /*distributed=*/true);
  QuerierServer root({middle.address()}, /*distributed=*/true);
  QuerierServer local({middle.address()});
  ExpectSame(root.Range("avg by (pod) (rate(x_total[1m]))"),
             local.Range("avg by (pod) (rate(x_total[1m]))"));
}

TEST_F(DistributionTest, AQuerierThatIsGoneIsAWarningOrAnError) {
  QuerierServer root({eu_.address(), us_.address()}, /*distributed=*/true);
  us_.Stop();
  const auto warned = root.Range("sum by (cluster) (rate(x_total[1m]))");
  ASSERT_TRUE(warned.ok()) << warned.status();
  EXPECT_EQ(warned->rows.size(), 1u);
  ASSERT_THAT(warned->store_warnings, SizeIs(1));
  EXPECT_THAT(warned->store_warnings[0], HasSubstr("receive rows from querier " + us_.address()));
  const auto failed = root.Range("sum by (cluster) (rate(x_total[1m]))", false);
  EXPECT_EQ(failed.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr(us_.address()));
}

TEST_F(DistributionTest, AStoreThatFailsBehindAQuerierIsAWarningOrAnError) {
  QuerierServer root({eu_.address(), us_.address()}, /*distributed=*/true);
  us_store_.store().call_error = Unavailable("disk on fire");
  const auto warned = root.Range("sum by (cluster) (rate(x_total[1m]))");
  ASSERT_TRUE(warned.ok()) << warned.status();
  EXPECT_EQ(warned->rows.size(), 1u);
  EXPECT_THAT(warned->store_warnings, ElementsAre(HasSubstr("disk on fire")));
  const auto failed = root.Range("sum by (cluster) (rate(x_total[1m]))", false);
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("disk on fire"));
}

TEST_F(DistributionTest, TheServiceStreamsSeriesThenStatistics) {
  wire::QueryRangeRequest request;
  request.query = "rate(x_total[1m])";
  request.start_seconds = 60;
  request.end_seconds = 120;
  request.interval_seconds = 30;
  request.enable_dedup = true;
  Status end;
  const auto frames = Ask("QueryRange", request, &end);
  ASSERT_TRUE(end.ok()) << end;
  ASSERT_THAT(frames, SizeIs(3));
  ASSERT_THAT(frames[0].series, SizeIs(1));
  EXPECT_EQ(frames[0].series[0].labels.ToString(), "{cluster=\"eu\", pod=\"a\"}");
  EXPECT_THAT(frames[0].series[0].times, ElementsAre(60'000, 90'000, 120'000));
  EXPECT_TRUE(frames[2].stats.has_value());
  EXPECT_GT(frames[2].stats->samples_total, 0);
  request.response_batch_size = 10;
  EXPECT_THAT(Ask("QueryRange", request, &end)[0].series, SizeIs(2));
  request.enable_dedup = false;
  EXPECT_THAT(Ask("QueryRange", request, &end)[0].series, SizeIs(4));
}

TEST_F(DistributionTest, TheServiceAnswersInstantQueries) {
  wire::QueryRequest request;
  request.query = "count(x_total)";
  request.time_seconds = 100;
  request.enable_dedup = true;
  Status end;
  auto frames = Ask("Query", request, &end);
  ASSERT_TRUE(end.ok()) << end;
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_THAT(frames[0].series[0].values, ElementsAre(2));
  EXPECT_THAT(frames[0].series[0].times, ElementsAre(100'000));
  request.query = "scalar(count(x_total))";
  frames = Ask("Query", request, &end);
  ASSERT_THAT(frames, SizeIs(2));
  EXPECT_THAT(frames[0].series[0].values, ElementsAre(2));
  // Two series match one.
  request.query = "rate(x_total[1m]) > bool on () x_total";
  EXPECT_THAT(Ask("Query", request, &end), IsEmpty());
  EXPECT_EQ(end.code(), StatusCode::kAborted);
  EXPECT_THAT(std::string(end.message()), HasSubstr("many-to-many matching not allowed"));
  request.enable_partial_response = true;
  frames = Ask("Query", request, &end);
  EXPECT_TRUE(end.ok());
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_THAT(frames[0].warnings, HasSubstr("many-to-many matching not allowed"));
}

TEST_F(DistributionTest, TheServiceRefusesWhatCannotBeRight) {
  wire::QueryRangeRequest request;
  request.query = "x_total";
  request.start_seconds = INT64_MAX / 2;
  Status end;
  Ask("QueryRange", request, &end);
  EXPECT_EQ(end.code(), StatusCode::kInvalidArgument);
  request.start_seconds = 0;
  Ask("QueryRange", request, &end);
  EXPECT_EQ(end.code(), StatusCode::kAborted);
  EXPECT_THAT(std::string(end.message()), HasSubstr("zero or negative query resolution step"));
  wire::QueryRequest no_query;
  no_query.query = "sum(";
  no_query.enable_partial_response = true;
  Ask("Query", no_query, &end);
  EXPECT_EQ(end.code(), StatusCode::kUnknown);
  EXPECT_EQ(end.message(), "1:5: parse error: unclosed left parenthesis");
}

TEST(ExternalLabelsOfTest, AreSureWhenTsdbsAccountForAllLabelSets) {
  const auto labels = [](const char* cluster) { return model::Labels::Of({{"cluster", cluster}}); };
  wire::InfoResponse info;
  EXPECT_THAT(ExternalLabelsOf(info), IsEmpty());
  info.store.emplace();
  info.store->tsdb_infos = {{.labels = labels("a")}, {.labels = labels("b")}};
  info.label_sets = {model::Labels::Of({{"cluster", "a"}, {"selector", "x"}}), labels("b")};
  EXPECT_THAT(ExternalLabelsOf(info), ElementsAre(labels("a"), labels("b")));
  info.label_sets.push_back(labels("c"));
  EXPECT_THAT(ExternalLabelsOf(info), IsEmpty());
}

}  // namespace
}  // namespace aevum::query
