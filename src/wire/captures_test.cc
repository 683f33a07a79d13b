#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
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

StatusOr<std::string> SeriesAgain(std::string_view bytes) {
  SeriesBatch batch;
  std::string hints;
  RETURN_IF_ERROR(DecodeSeriesResponse(SharedBytes::Own(std::string(bytes)), &batch, &hints));
  if (!batch.warnings.empty()) return EncodeWarningResponse(batch.warnings.front());
  if (!hints.empty()) return EncodeHintsResponse(hints);
  // Field 6 is a batch, field 1 a single series.
  constexpr char kBatch = 6 << 3 | 2;
  return EncodeSeriesResponse(batch, 0, batch.series.size(),
                              !bytes.empty() && bytes.front() == kBatch);
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
      {"/thanos.Query/QueryRange request", Message(DecodeQueryRangeRequest)},
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
    const std::string bytes =
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
    ++(*again == bytes ? same : different)[what];
  }
  // Messages with maps, whose order is not fixed, and those with fields that we leave out.
  const std::set<std::string> inexact = {
      "/thanos.Metadata/MetricMetadata response", "/thanos.Status/TSDBStatistics response",
      "/thanos.Store/Series request", "/thanos.Store/Series response"};
  for (const auto& [what, count] : different) EXPECT_TRUE(inexact.contains(what)) << what;
  // Calls that were made to be refused.
  for (const std::string& call : refused) EXPECT_NE(call.find("-bad-"), std::string::npos) << call;
  EXPECT_EQ(same.size(), Codecs().size());
  EXPECT_GT(std::accumulate(same.begin(), same.end(), 0,
                            [](int sum, const auto& one) { return sum + one.second; }),
            300);
}

}  // namespace
}  // namespace aevum::wire
