#include "wire/store_api.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace aevum::wire {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// Decodes, encodes, and decodes again: both encodings must be the same bytes.
template <typename Decode>
void ExpectStable(const std::string& bytes, Decode decode) {
  auto first = decode(bytes);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string encoded = Encode(*first);
  auto second = decode(encoded);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(Encode(*second), encoded);
  // Nothing of the message was lost: ours may only be longer, by fields that peers of old read.
  EXPECT_GE(encoded.size(), bytes.size());
}

// The peer adds hashes to its chunks, which ours leaves out; all else must come out again.
void ExpectSameSeries(const SeriesBatch& batch, const std::string& bytes) {
  const std::string encoded = EncodeSeriesResponse(batch, 0, batch.series.size(), bytes[0] == 0x22);
  SeriesBatch again;
  ASSERT_TRUE(DecodeSeriesResponse(SharedBytes::Own(encoded), &again).ok());
  ASSERT_EQ(again.series.size(), batch.series.size());
  ASSERT_EQ(again.chunks.size(), batch.chunks.size());
  if (batch.chunks.empty()) {
    EXPECT_EQ(encoded, bytes);
  }
  for (std::size_t i = 0; i < batch.series.size(); ++i)
    EXPECT_EQ(again.series[i].labels, batch.series[i].labels);
  for (std::size_t i = 0; i < batch.chunks.size(); ++i) {
    EXPECT_NE(bytes.find(again.chunks[i].data), std::string::npos);
    EXPECT_EQ(again.chunks[i].data, batch.chunks[i].data);
    EXPECT_EQ(again.chunks[i].min_time, batch.chunks[i].min_time);
    EXPECT_EQ(again.chunks[i].encoding, batch.chunks[i].encoding);
  }
}

TEST(StoreApiTest, ReadsAndWritesCapturedMessages) {
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/wire/testdata/frames.jsonl");
  int checked = 0;
  for (std::string line; std::getline(file, line);) {
    const json frame = json::parse(line);
    SCOPED_TRACE(frame["call"].get<std::string>() + " " + frame["direction"].get<std::string>());
    const std::string method = frame["method"];
    const std::string bytes = FromHex(frame["hex"]);
    const bool request = frame["direction"] == "request";
    if (method.starts_with("/thanos.Query/")) continue;
    if (method == "/thanos.Store/Series" && request) {
      // Some calls were made with a bad matcher on purpose.
      if (!DecodeSeriesRequest(bytes).ok()) continue;
      ExpectStable(bytes, DecodeSeriesRequest);
    } else if (method == "/thanos.Store/Series") {
      SeriesBatch batch;
      const Status status = DecodeSeriesResponse(SharedBytes::Own(bytes), &batch);
      ASSERT_TRUE(status.ok()) << status;
      if (!batch.warnings.empty()) {
        EXPECT_EQ(EncodeWarningResponse(batch.warnings[0]), bytes);
      } else if (!batch.series.empty()) {
        ExpectSameSeries(batch, bytes);
      }
    } else if (method == "/thanos.info.Info/Info" && !request) {
      ExpectStable(bytes, DecodeInfoResponse);
    } else if (method == "/thanos.Store/LabelNames" && request) {
      if (DecodeLabelNamesRequest(bytes).ok()) ExpectStable(bytes, DecodeLabelNamesRequest);
    } else if (method == "/thanos.Store/LabelValues" && request) {
      if (DecodeLabelValuesRequest(bytes).ok()) ExpectStable(bytes, DecodeLabelValuesRequest);
    } else if (!request) {
      ExpectStable(bytes, DecodeLabelsResponse);
    }
    ++checked;
  }
  EXPECT_GT(checked, 100);
}

TEST(StoreApiTest, KeepsEveryFieldOfASeriesRequest) {
  SeriesRequest request;
  request.min_time = kMinTime;
  request.max_time = 5;
  request.matchers = {model::Matcher::Equal("a", "b"),
                      *model::Matcher::Create(model::MatchType::kNotRegex, "c", "d.*")};
  request.max_resolution_window_ms = 300'000;
  request.aggregates = {Aggr::kCount, Aggr::kCounter};
  request.partial_response = PartialResponse::kAbort;
  request.skip_chunks = true;
  request.hints = "any";
  request.query_hints = QueryHints{.step_ms = 1,
                                   .function = "rate",
                                   .grouping_by = true,
                                   .grouping_labels = {"x"},
                                   .range_ms = 2};
  request.shard_info = ShardInfo{.shard_index = 1, .total_shards = 3, .by = true, .labels = {"l"}};
  request.without_replica_labels = {"replica"};
  request.limit = 7;
  request.response_batch_size = 64;
  const StatusOr<SeriesRequest> got = DecodeSeriesRequest(Encode(request));
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->min_time, kMinTime);
  EXPECT_EQ(got->matchers, request.matchers);
  EXPECT_THAT(got->aggregates, ElementsAre(Aggr::kCount, Aggr::kCounter));
  EXPECT_EQ(got->partial_response, PartialResponse::kAbort);
  EXPECT_TRUE(got->skip_chunks);
  EXPECT_EQ(got->hints, "any");
  EXPECT_EQ(got->query_hints->function, "rate");
  EXPECT_EQ(got->query_hints->range_ms, 2);
  EXPECT_THAT(got->query_hints->grouping_labels, ElementsAre("x"));
  EXPECT_TRUE(got->shard_info->by);
  EXPECT_EQ(got->shard_info->total_shards, 3);
  EXPECT_THAT(got->without_replica_labels, ElementsAre("replica"));
  EXPECT_EQ(got->limit, 7);
  EXPECT_EQ(got->response_batch_size, 64);
}

TEST(StoreApiTest, RefusesWhatIsNotTheMessage) {
  struct Case {
    std::string bytes;
    std::string message;
  };
  const Case cases[] = {
      {"\x1a\x02\x08\x09", "unknown type: 9"},
      {std::string("\x1a\x08\x08\x02\x12\x01x\x1a\x01(", 10), "error parsing regexp"},
      {"\x38\x05", "unknown partial response strategy: 5"},
      {"\x28\x09", "unknown aggregate: 9"},
      {"\xff", "SeriesRequest"}};
  for (const Case& c : cases) {
    const Status status = DecodeSeriesRequest(c.bytes).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
  EXPECT_EQ(DecodeInfoResponse("\x0a\x05").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(DecodeLabelsResponse("\x0a\x05").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aevum::wire
