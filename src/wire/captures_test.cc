#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "encoding/proto_wire.h"
#include "wire/exemplars_api.h"
#include "wire/metadata_api.h"
#include "wire/query_api.h"
#include "wire/rules_api.h"
#include "wire/status_api.h"
#include "wire/store_api.h"
#include "wire/targets_api.h"

namespace aevum::wire {
namespace {

using nlohmann::json;

// Reads a message and writes it again.
using Codec = std::function<StatusOr<std::string>(std::string_view bytes)>;

template <typename Decode>
Codec Message(Decode decode) {
  return [decode](std::string_view bytes) -> StatusOr<std::string> {
    ASSIGN_OR_RETURN(const auto message, decode(bytes));
    return Encode(message);
  };
}

// Whether an answer with series has a batch of them, field 4 in all such messages.
bool IsBatch(std::string_view bytes) {
  constexpr char kBatch = 4 << 3 | 2;
  return bytes.starts_with(kBatch);
}

StatusOr<std::string> SeriesAgain(std::string_view bytes) {
  SeriesBatch batch;
  std::string hints;
  RETURN_IF_ERROR(DecodeSeriesResponse(SharedBytes::Own(std::string(bytes)), &batch, &hints));
  if (!batch.warnings.empty()) return EncodeWarningResponse(batch.warnings.front());
  if (!hints.empty()) return EncodeHintsResponse(hints);
  return EncodeSeriesResponse(batch, 0, batch.series.size(), IsBatch(bytes));
}

// Both calls of thanos.Query answer with such messages.
StatusOr<std::string> QueryAgain(std::string_view bytes) {
  ASSIGN_OR_RETURN(const QueryApiResponse response, DecodeQueryResponse(bytes));
  if (!response.warnings.empty()) return EncodeQueryWarning(response.warnings);
  if (response.stats) return EncodeQueryStats(*response.stats);
  return EncodeQuerySeries(response.series, IsBatch(bytes));
}

StatusOr<std::string> RulesAgain(std::string_view bytes) {
  ASSIGN_OR_RETURN(const RulesResponse response, DecodeRulesResponse(bytes));
  return response.group ? EncodeRuleGroupResponse(*response.group)
                        : EncodeRulesWarning(response.warning);
}

StatusOr<std::string> TargetsAgain(std::string_view bytes) {
  ASSIGN_OR_RETURN(const TargetsResponse response, DecodeTargetsResponse(bytes));
  return response.targets ? EncodeTargetsResponse(*response.targets)
                          : EncodeTargetsWarning(response.warning);
}

const std::map<std::string, Codec>& Codecs() {
  static const std::map<std::string, Codec> kCodecs = {
      {"/thanos.Store/Series request", Message(DecodeSeriesRequest)},
      {"/thanos.Store/Series response", SeriesAgain},
      {"/thanos.Store/LabelNames request", Message(DecodeLabelNamesRequest)},
      {"/thanos.Store/LabelNames response", Message(DecodeLabelsResponse)},
      {"/thanos.Store/LabelValues request", Message(DecodeLabelValuesRequest)},
      {"/thanos.Store/LabelValues response", Message(DecodeLabelsResponse)},
      {"/thanos.info.Info/Info response", Message(DecodeInfoResponse)},
      {"/thanos.Query/Query request", Message(DecodeQueryRequest)},
      {"/thanos.Query/Query response", QueryAgain},
      {"/thanos.Query/QueryRange request", Message(DecodeQueryRangeRequest)},
      {"/thanos.Query/QueryRange response", QueryAgain},
      {"/thanos.Rules/Rules request", Message(DecodeRulesRequest)},
      {"/thanos.Rules/Rules response", RulesAgain},
      {"/thanos.Targets/Targets request", Message(DecodeTargetsRequest)},
      {"/thanos.Targets/Targets response", TargetsAgain},
      {"/thanos.Metadata/MetricMetadata request", Message(DecodeMetricMetadataRequest)},
      {"/thanos.Metadata/MetricMetadata response", Message(DecodeMetricMetadataResponse)},
      {"/thanos.Exemplars/Exemplars request", Message(DecodeExemplarsRequest)},
      {"/thanos.Exemplars/Exemplars response", Message(DecodeExemplarsResponse)},
      {"/thanos.Status/TSDBStatistics request", Message(DecodeTsdbStatisticsRequest)},
      {"/thanos.Status/TSDBStatistics response", Message(DecodeTsdbStatisticsResponse)},
  };
  return kCodecs;
}

// The messages inside a SeriesResponse.
enum class Level : std::uint8_t { kResponse, kBatch, kSeries, kAggregates, kPart };

std::optional<Level> Inside(Level level, std::uint32_t field) {
  switch (level) {
    case Level::kResponse:
      if (field == 4) return Level::kBatch;
      return field == 1 ? std::optional(Level::kSeries) : std::nullopt;
    case Level::kBatch:
      return field == 1 ? std::optional(Level::kSeries) : std::nullopt;
    case Level::kSeries:
      return field == 2 ? std::optional(Level::kAggregates) : std::nullopt;
    case Level::kAggregates:
      return field >= 3 ? std::optional(Level::kPart) : std::nullopt;
    case Level::kPart:
      break;
  }
  return std::nullopt;
}

bool HasParts(std::string_view aggregates) {
  encoding::ProtoReader reader(aggregates);
  while (reader.Next()) {
    if (reader.field() >= 3) return true;
    reader.Skip();
  }
  return false;
}

// A SeriesResponse without what we leave out: the hash of a chunk, which a reader computes where it
// is absent, and chunks of which no part was asked for, in which there is nothing to read.
std::string Kept(std::string_view bytes, Level level = Level::kResponse) {
  std::string out;
  encoding::ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.type() == encoding::WireType::kBytes) {
      const std::optional<Level> inner = Inside(level, reader.field());
      std::string field(reader.Bytes());
      if (inner) field = Kept(field, *inner);
      if (inner != Level::kAggregates || HasParts(field))
        encoding::PutBytesField(out, reader.field(), field);
    } else if (level == Level::kPart && reader.field() == 3) {
      reader.Skip();
    } else {
      encoding::PutVarintField(out, reader.field(), reader.Varint());
    }
  }
  EXPECT_TRUE(reader.status().ok()) << reader.status();
  return out;
}

// Every message that the processes exchanged: it is read, and what is written again says the same.
TEST(CapturesTest, AreReadAndWrittenAgain) {
  const std::string folder = AEVUM_SHARED_DIR "/golden/vectors/grpc/";
  std::ifstream manifest(folder + "manifest.jsonl");
  if (!manifest) GTEST_SKIP() << "no golden captures at " << folder;
  std::map<std::string, std::string> files;
  std::map<std::string, int> same, different;
  std::set<std::string> refused;
  for (std::string line; std::getline(manifest, line);) {
    const json frame = json::parse(line);
    const std::string direction = frame["direction"];
    const std::string what = frame["method"].get<std::string>() + " " + direction;
    const auto codec = Codecs().find(what);
    if (codec == Codecs().end()) continue;
    SCOPED_TRACE(frame["call"].get<std::string>() + " " + what);
    std::string& file = files[frame["file"]];
    if (file.empty()) {
      auto bytes = ReadFile(folder + frame["file"].get<std::string>());
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      file = *std::move(bytes);
    }
    std::string bytes =
        file.substr(frame["offset"].get<std::size_t>(), frame["length"].get<std::size_t>());
    const StatusOr<std::string> again = codec->second(bytes);
    if (!again.ok() && direction == "request") {
      refused.insert(frame["call"]);
      continue;
    }
    ASSERT_TRUE(again.ok()) << again.status();
    const StatusOr<std::string> twice = codec->second(*again);
    ASSERT_TRUE(twice.ok()) << twice.status();
    EXPECT_EQ(*twice, *again);
    if (what == "/thanos.Store/Series response") bytes = Kept(bytes);
    ++(*again == bytes ? same : different)[what];
    // Entries of maps in another order are as long.
    if (direction == "response") {
      EXPECT_EQ(again->size(), bytes.size());
    }
  }
  // Messages with maps, whose order is not fixed, and requests that turn partial response off: we
  // do that by the strategy and by the field that it replaced.
  EXPECT_EQ(different, (std::map<std::string, int>{{"/thanos.Metadata/MetricMetadata response", 1},
                                                   {"/thanos.Status/TSDBStatistics response", 1},
                                                   {"/thanos.Store/Series request", 4}}));
  // Calls that were made to be refused.
  for (const std::string& call : refused) EXPECT_NE(call.find("-bad-"), std::string::npos) << call;
  EXPECT_EQ(same.size(), Codecs().size());
  EXPECT_GT(std::accumulate(same.begin(), same.end(), 0,
                            [](int sum, const auto& one) { return sum + one.second; }),
            350);
}

}  // namespace
}  // namespace aevum::wire
