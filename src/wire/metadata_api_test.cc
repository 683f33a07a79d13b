#include "wire/metadata_api.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "encoding/proto_wire.h"
#include "wire/exemplars_api.h"
#include "wire/status_api.h"

namespace aevum::wire {
namespace {

using model::Labels;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

// The bytes of the messages of a captured call, by direction.
std::vector<std::string> Captured(const std::string& call, const std::string& direction) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/wire/testdata/frames.jsonl");
  std::vector<std::string> messages;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json frame = nlohmann::json::parse(line);
    if (frame["call"] != call || frame["direction"] != direction) continue;
    const std::string hex = frame["hex"];
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    messages.push_back(std::move(bytes));
  }
  return messages;
}

TEST(MetadataApiTest, ReadsWhatAThanosSays) {
  const auto requests = Captured("148-metadata-metric-query", "request");
  ASSERT_THAT(requests, SizeIs(1));
  const auto request = DecodeMetricMetadataRequest(requests[0]);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->metric, "demo_requests");
  EXPECT_EQ(request->limit, -1);
  EXPECT_EQ(request->partial_response, PartialResponse::kWarn);
  EXPECT_EQ(Encode(*request), requests[0]);
  EXPECT_EQ(DecodeMetricMetadataRequest("")->limit, 0);

  const auto responses = Captured("147-metadata-query", "response");
  ASSERT_THAT(responses, SizeIs(1));
  const auto response = DecodeMetricMetadataResponse(responses[0]);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_TRUE(response->metadata.has_value());
  const std::vector<Metadata> latency = {{"histogram", "Latency.", "seconds"}};
  const std::vector<Metadata> requests_metas = {{"counter", "Number of requests.", ""}};
  const std::vector<Metadata> temperature = {{"gauge", "Temperature.", "celsius"}};
  EXPECT_THAT(*response->metadata,
              ElementsAre(Pair("demo_lat_seconds", latency), Pair("demo_requests", requests_metas),
                          Pair("demo_temp_celsius", temperature)));

  const auto nothing =
      DecodeMetricMetadataResponse(Captured("136-metadata-limit0-sidecar", "response").at(0));
  ASSERT_TRUE(nothing.ok());
  ASSERT_TRUE(nothing->metadata.has_value());
  EXPECT_THAT(*nothing->metadata, IsEmpty());
}

TEST(ExemplarsApiTest, ReadsWhatAThanosSays) {
  const auto request = DecodeExemplarsRequest(Captured("150-exemplars-query", "request").at(0));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->query, "{__name__=~\"demo.*\"}");
  EXPECT_EQ(request->start, 1'795'573'447'489);
  EXPECT_EQ(request->end, 1'795'577'107'489);

  const auto response =
      DecodeExemplarsResponse(Captured("125-exemplars-receive", "response").at(0));
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_TRUE(response->series.has_value());
  EXPECT_EQ(response->series->labels, Labels::Of({{"__name__", "with_exemplar"},
                                                  {"cluster", "eu"},
                                                  {"job", "x"},
                                                  {"receive_replica", "r0"},
                                                  {"tenant_id", "default-tenant"}}));
  ASSERT_THAT(response->series->exemplars, SizeIs(1));
  const Exemplar& exemplar = response->series->exemplars[0];
  EXPECT_EQ(exemplar.labels, Labels::Of({{"trace_id", "hxhboiwlbc"}}));
  EXPECT_EQ(exemplar.value, 0.5);
  EXPECT_EQ(exemplar.time, 1'795'577'047'489);

  const auto many = Captured("150-exemplars-query", "response");
  ASSERT_THAT(many, SizeIs(3));
  for (const std::string& bytes : many) {
    const auto series = DecodeExemplarsResponse(bytes);
    ASSERT_TRUE(series.ok()) << series.status();
    EXPECT_EQ(Encode(*series), bytes);
  }
}

TEST(StatusApiTest, ReadsWhatAThanosSays) {
  const auto request =
      DecodeTsdbStatisticsRequest(Captured("140-tsdb-statistics-matcher-sidecar", "request").at(0));
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->limit, 3);
  EXPECT_EQ(model::ToString(request->matchers), "{cluster=\"nope\"}");
  EXPECT_EQ(
      DecodeTsdbStatisticsRequest(Captured("127-tsdb-statistics-receive-tenant", "request").at(0))
          ->tenant,
      "default-tenant");

  const auto response =
      DecodeTsdbStatisticsResponse(Captured("126-tsdb-statistics-receive", "response").at(0));
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_TRUE(response->statistics.has_value());
  ASSERT_THAT(*response->statistics, SizeIs(2));
  const TsdbStatistics& tenant = response->statistics->at("default-tenant");
  EXPECT_EQ(tenant.head, (HeadStatistics{.series = 6,
                                         .label_pairs = 8,
                                         .chunks = 0,
                                         .min_time = 1'795'577'047'489,
                                         .max_time = 1'795'577'047'489}));
  EXPECT_THAT(tenant.series_by_metric,
              ElementsAre(Statistic{"rw_metric", 3}, Statistic{"rw_metric3", 1},
                          Statistic{"with_exemplar", 1}));
  EXPECT_THAT(tenant.values_by_label, ElementsAre(Statistic{"__name__", 4}, Statistic{"job", 4}));
  EXPECT_THAT(tenant.memory_bytes_by_label,
              ElementsAre(Statistic{"__name__", 294}, Statistic{"job", 216}));
  EXPECT_THAT(tenant.series_by_label_pair,
              ElementsAre(Statistic{"__name__=rw_metric", 3}, Statistic{"job=x", 2},
                          Statistic{"job=a", 2}));
}

TEST(ExemplarsApiTest, ExemplarsComeBackBitByBit) {
  ExemplarsResponse response;
  response.series = ExemplarSeries{.labels = Labels::Of({{"a", "b"}}),
                                   .exemplars = {{.labels = {}, .value = -0.0, .time = -1},
                                                 {.labels = Labels::Of({{"t", "1"}}),
                                                  .value = std::numeric_limits<double>::quiet_NaN(),
                                                  .time = 0}}};
  const auto again = DecodeExemplarsResponse(Encode(response));
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_THAT(again->series->exemplars, SizeIs(2));
  EXPECT_TRUE(std::signbit(again->series->exemplars[0].value));
  EXPECT_EQ(again->series->exemplars[0].time, -1);
  EXPECT_TRUE(std::isnan(again->series->exemplars[1].value));
}

TEST(MetadataApiTest, WarningsComeBack) {
  EXPECT_EQ(DecodeMetricMetadataResponse(Encode(MetricMetadataResponse{.warning = "w"}))->warning,
            "w");
  EXPECT_EQ(DecodeExemplarsResponse(Encode(ExemplarsResponse{.warning = "w"}))->warning, "w");
  EXPECT_EQ(DecodeTsdbStatisticsResponse(Encode(TsdbStatisticsResponse{.warning = "w"}))->warning,
            "w");
}

TEST(MetadataApiTest, RefusesWhatIsNotTheMessage) {
  const std::string damaged =
      "\x0a\x05"
      "ab";
  EXPECT_EQ(DecodeMetricMetadataRequest(damaged).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeExemplarsRequest(damaged).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeTsdbStatisticsRequest(damaged).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeMetricMetadataResponse(damaged).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeExemplarsResponse(damaged).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeTsdbStatisticsResponse(damaged).status().code(), StatusCode::kDataLoss);
  std::string strategy;
  encoding::PutVarintField(strategy, 3, 2);
  EXPECT_EQ(DecodeMetricMetadataRequest(strategy).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeTsdbStatisticsRequest(strategy).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aevum::wire
