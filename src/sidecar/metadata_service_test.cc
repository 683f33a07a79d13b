// The services beside the StoreAPI over a server that answers as Prometheus does.
#include "sidecar/metadata_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include "net/grpc/client.h"
#include "net/grpc/server.h"
#include "sidecar/heartbeat.h"
#include "sidecar/metadata_answers.h"
#include "sidecar/prometheus_client.h"
#include "sidecar/testing/canned_server.h"

namespace aevum::sidecar {
namespace {

using model::Labels;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class MetadataServiceTest : public ::testing::Test {
 protected:
  MetadataServiceTest()
      : client_(std::make_shared<PrometheusClient>(prometheus_.url(), net::HttpClientOptions())),
        heartbeat_({}, client_, nullptr, Logger(), *registry_),
        server_({.address = "127.0.0.1:0"}, Logger(), registry_) {
    prometheus_.SetBody("/api/v1/status/config",
                        R"({"status":"success","data":{"yaml":)"
                        R"("global: {external_labels: {cluster: eu, replica: '0'}}"}})");
    prometheus_.SetBody("/api/v1/status/buildinfo",
                        R"({"status":"success","data":{"version":"2.42.0"}})");
    prometheus_.SetBody("/metrics", "prometheus_tsdb_lowest_timestamp_seconds 5\n", "text/plain");
    prometheus_.SetBody("/api/v1/labels", R"({"status":"success","data":["__name__"]})");
    prometheus_.SetBody("/api/v1/metadata",
                        R"({"status":"success","data":{"up":[{"type":"gauge","help":"H"}]},)"
                        R"("warnings":["slow"]})");
    prometheus_.SetBody(
        "/api/v1/query_exemplars",
        R"({"status":"success","data":[{"seriesLabels":{"__name__":"up","cluster":"own"},)"
        R"("exemplars":[{"labels":{"t":"1"},"value":"0.5","timestamp":1.5}]}]})");
    prometheus_.SetBody(
        "/api/v1/status/tsdb",
        R"({"status":"success","data":{"headStats":{"numSeries":7,"chunkCount":9},)"
        R"("seriesCountByMetricName":[{"name":"a","value":3},{"name":"b","value":2}]}})");
    RegisterMetadataServices(server_, client_, heartbeat_);
    EXPECT_TRUE(server_.Start().ok());
    channel_ = std::make_unique<net::grpc::Channel>(
        runtime_,
        net::grpc::ChannelOptions{.address = fmt::format("127.0.0.1:{}", server_.port())});
  }
  ~MetadataServiceTest() override { server_.Stop(std::chrono::milliseconds(0)); }

  // All messages of an answer.
  StatusOr<std::vector<std::string>> Ask(std::string_view path, std::string request) {
    const auto call = channel_->Start(Context::Background().WithTimeout(std::chrono::seconds(20)),
                                      path, SharedBytes::Own(std::move(request)));
    std::vector<std::string> messages;
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<SharedBytes> message, call->Next());
      if (!message) return messages;
      messages.emplace_back(message->view);
    }
  }
  StatusOr<wire::TsdbStatisticsByTenant> AskStatistics(const wire::TsdbStatisticsRequest& request) {
    ASSIGN_OR_RETURN(const std::vector<std::string> messages,
                     Ask("/thanos.Status/TSDBStatistics", wire::Encode(request)));
    EXPECT_THAT(messages, SizeIs(1));
    ASSIGN_OR_RETURN(wire::TsdbStatisticsResponse response,
                     wire::DecodeTsdbStatisticsResponse(messages.at(0)));
    return response.statistics.value();
  }

  CannedServer prometheus_;
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::shared_ptr<PrometheusClient> client_;
  Heartbeat heartbeat_;
  net::grpc::Server server_;
  net::grpc::ClientRuntime runtime_{1, std::make_shared<prometheus::Registry>()};
  std::unique_ptr<net::grpc::Channel> channel_;
};

TEST_F(MetadataServiceTest, AnswersMetadata) {
  const auto messages = Ask("/thanos.Metadata/MetricMetadata",
                            wire::Encode(wire::MetricMetadataRequest{.metric = "a b", .limit = 0}));
  ASSERT_TRUE(messages.ok()) << messages.status();
  ASSERT_THAT(*messages, SizeIs(2));
  EXPECT_EQ(wire::DecodeMetricMetadataResponse((*messages)[0])->warning, "slow");
  const std::vector<wire::Metadata> up = {{"gauge", "H", ""}};
  EXPECT_THAT(*wire::DecodeMetricMetadataResponse((*messages)[1])->metadata,
              ElementsAre(Pair("up", up)));
  EXPECT_THAT(prometheus_.requests(), ElementsAre("GET /api/v1/metadata?metric=a%20b&limit=0"));
  ASSERT_TRUE(
      Ask("/thanos.Metadata/MetricMetadata", wire::Encode(wire::MetricMetadataRequest())).ok());
  EXPECT_EQ(prometheus_.requests().back(), "GET /api/v1/metadata");
}

TEST_F(MetadataServiceTest, PutsExternalLabelsOnExemplars) {
  const std::string request =
      wire::Encode(wire::ExemplarsRequest{.query = "up", .start = -1500, .end = INT64_MAX});
  EXPECT_EQ(Ask("/thanos.Exemplars/Exemplars", request).status().code(), StatusCode::kUnavailable);
  ASSERT_TRUE(heartbeat_.Beat().ok());
  const auto messages = Ask("/thanos.Exemplars/Exemplars", request);
  ASSERT_TRUE(messages.ok()) << messages.status();
  ASSERT_THAT(*messages, SizeIs(1));
  const auto response = wire::DecodeExemplarsResponse((*messages)[0]);
  EXPECT_EQ(response->series->labels,
            Labels::Of({{"__name__", "up"}, {"cluster", "eu"}, {"replica", "0"}}));
  EXPECT_EQ(response->series->exemplars.at(0).time, 1500);
  EXPECT_EQ(prometheus_.requests().back(),
            "GET /api/v1/query_exemplars?query=up&start=-1.500&end=9223309901257974");
}

TEST_F(MetadataServiceTest, AnswersStatisticsOfMatchingExternalLabels) {
  EXPECT_EQ(AskStatistics({}).status().code(), StatusCode::kUnavailable);
  ASSERT_TRUE(heartbeat_.Beat().ok());
  wire::TsdbStatisticsRequest request;
  request.limit = 1;
  request.matchers = {model::Matcher::Equal("cluster", "eu"), model::Matcher::Equal("absent", "")};
  const auto matching = AskStatistics(request);
  ASSERT_TRUE(matching.ok()) << matching.status();
  ASSERT_THAT(*matching, SizeIs(1));
  const wire::TsdbStatistics& statistics = matching->at("");
  EXPECT_EQ(statistics.head.series, 7U);
  EXPECT_EQ(statistics.head.chunks, 9);
  EXPECT_THAT(statistics.series_by_metric, ElementsAre(wire::Statistic{"a", 3}));
  EXPECT_EQ(prometheus_.requests().back(), "GET /api/v1/status/tsdb?limit=1");

  request.matchers = {model::Matcher::Equal("cluster", "us")};
  EXPECT_THAT(*AskStatistics(request), IsEmpty());
  EXPECT_THAT(*AskStatistics({.tenant = "one"}), IsEmpty());
  EXPECT_THAT(AskStatistics({})->at("").series_by_metric, SizeIs(2));
}

TEST_F(MetadataServiceTest, CarriesErrorsOfPrometheus) {
  ASSERT_TRUE(heartbeat_.Beat().ok());
  const std::string_view body = R"({"status":"error","errorType":"bad_data","error":"no query"})";
  prometheus_.SetRaw("/api/v1/query_exemplars",
                     fmt::format("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n"
                                 "Connection: close\r\n\r\n{}",
                                 body.size(), body));
  const Status refused =
      Ask("/thanos.Exemplars/Exemplars", wire::Encode(wire::ExemplarsRequest())).status();
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("no query"), HasSubstr(prometheus_.url())));
  prometheus_.SetBody("/api/v1/metadata", "<html>");
  const Status broken =
      Ask("/thanos.Metadata/MetricMetadata", wire::Encode(wire::MetricMetadataRequest())).status();
  EXPECT_EQ(broken.code(), StatusCode::kUnavailable);
  EXPECT_THAT(std::string(broken.message()),
              HasSubstr(prometheus_.url() + "/api/v1/metadata: answer of 6 bytes is not JSON"));
  EXPECT_EQ(Ask("/thanos.Status/TSDBStatistics", "\x22\x01").status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aevum::sidecar
