// The files of proto/ and the codecs of this layer must say the same: what a real peer sent and
// what the codecs make of it is read with the descriptors and compared field by field.
#include "wire/descriptors.h"

#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "wire/exemplars_api.h"
#include "wire/metadata_api.h"
#include "wire/query_api.h"
#include "wire/rules_api.h"
#include "wire/status_api.h"
#include "wire/store_api.h"
#include "wire/targets_api.h"

namespace aevum::wire {
namespace {

namespace pb = google::protobuf;

class Schema {
 public:
  Schema() {
    for (const std::string_view file : FileDescriptors()) {
      pb::FileDescriptorProto proto;
      EXPECT_TRUE(proto.ParseFromArray(file.data(), static_cast<int>(file.size())));
      EXPECT_NE(pool_.BuildFile(proto), nullptr) << proto.name();
    }
  }
  const pb::DescriptorPool& pool() const { return pool_; }

  // Null when the bytes are not such a message.
  std::unique_ptr<pb::Message> Parse(const std::string& type, const std::string& bytes) {
    const pb::Descriptor* descriptor = pool_.FindMessageTypeByName(type);
    if (descriptor == nullptr) return nullptr;
    std::unique_ptr<pb::Message> message(factory_.GetPrototype(descriptor)->New());
    return message->ParseFromString(bytes) ? std::move(message) : nullptr;
  }

 private:
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_{&pool_};
};

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// True when a field of the message, or of one inside it, is in no proto file.
bool HasUnknownFields(const pb::Message& message) {
  const pb::Reflection* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) return true;
  std::vector<const pb::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      if (HasUnknownFields(reflection->GetMessage(message, field))) return true;
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      if (HasUnknownFields(reflection->GetRepeatedMessage(message, field, i))) return true;
    }
  }
  return false;
}

std::string RecodeQueryResponse(const std::string& bytes) {
  const auto response = DecodeQueryResponse(bytes);
  if (!response.ok()) return "";
  if (!response->warnings.empty()) return EncodeQueryWarning(response->warnings);
  if (response->stats) return EncodeQueryStats(*response->stats);
  return EncodeQuerySeries(response->series, bytes[0] == 0x22);
}

std::string RecodeRulesResponse(const std::string& bytes) {
  const auto response = DecodeRulesResponse(bytes);
  return response.ok() && response->group ? EncodeRuleGroupResponse(*response->group) : "";
}

std::string RecodeTargetsResponse(const std::string& bytes) {
  const auto response = DecodeTargetsResponse(bytes);
  return response.ok() && response->targets ? EncodeTargetsResponse(*response->targets) : "";
}

// What our codec makes of a message; "" when it is not one that it decodes.
std::string Recode(const std::string& type, const std::string& bytes) {
  const auto again = [](const auto& decoded) { return decoded.ok() ? Encode(*decoded) : ""; };
  if (type == "thanos.SeriesRequest") return again(DecodeSeriesRequest(bytes));
  if (type == "thanos.LabelNamesRequest") return again(DecodeLabelNamesRequest(bytes));
  if (type == "thanos.LabelValuesRequest") return again(DecodeLabelValuesRequest(bytes));
  if (type == "thanos.info.InfoResponse") return again(DecodeInfoResponse(bytes));
  if (type == "thanos.MetricMetadataRequest") return again(DecodeMetricMetadataRequest(bytes));
  if (type == "thanos.MetricMetadataResponse") return again(DecodeMetricMetadataResponse(bytes));
  if (type == "thanos.ExemplarsRequest") return again(DecodeExemplarsRequest(bytes));
  if (type == "thanos.ExemplarsResponse") return again(DecodeExemplarsResponse(bytes));
  if (type == "thanos.TSDBStatisticsRequest") return again(DecodeTsdbStatisticsRequest(bytes));
  if (type == "thanos.TSDBStatisticsResponse") return again(DecodeTsdbStatisticsResponse(bytes));
  if (type == "thanos.QueryRequest") return again(DecodeQueryRequest(bytes));
  if (type == "thanos.QueryRangeRequest") return again(DecodeQueryRangeRequest(bytes));
  if (type == "thanos.QueryResponse" || type == "thanos.QueryRangeResponse")
    return RecodeQueryResponse(bytes);
  if (type == "thanos.LabelNamesResponse" || type == "thanos.LabelValuesResponse")
    return again(DecodeLabelsResponse(bytes));
  if (type == "thanos.RulesRequest") return again(DecodeRulesRequest(bytes));
  if (type == "thanos.RulesResponse") return RecodeRulesResponse(bytes);
  if (type == "thanos.TargetsRequest") return again(DecodeTargetsRequest(bytes));
  if (type == "thanos.TargetsResponse") return RecodeTargetsResponse(bytes);
  SeriesBatch batch;
  if (!DecodeSeriesResponse(SharedBytes::Own(bytes), &batch).ok()) return "";
  if (!batch.warnings.empty()) return EncodeWarningResponse(batch.warnings[0]);
  if (batch.series.empty()) return "";
  return EncodeSeriesResponse(batch, 0, batch.series.size(), bytes[0] == 0x22);
}

std::string TypeOf(const std::string& method, bool request) {
  static const std::map<std::string, std::string> kTypes = {
      {"/thanos.Store/Series", "thanos.Series"},
      {"/thanos.Store/LabelNames", "thanos.LabelNames"},
      {"/thanos.Store/LabelValues", "thanos.LabelValues"},
      {"/thanos.Query/Query", "thanos.Query"},
      {"/thanos.Query/QueryRange", "thanos.QueryRange"},
      {"/thanos.Rules/Rules", "thanos.Rules"},
      {"/thanos.Targets/Targets", "thanos.Targets"},
      {"/thanos.Metadata/MetricMetadata", "thanos.MetricMetadata"},
      {"/thanos.Exemplars/Exemplars", "thanos.Exemplars"},
      {"/thanos.Status/TSDBStatistics", "thanos.TSDBStatistics"},
      {"/thanos.info.Info/Info", "thanos.info.Info"}};
  const auto it = kTypes.find(method);
  return it == kTypes.end() ? "" : it->second + (request ? "Request" : "Response");
}

TEST(DescriptorsTest, SayTheSameAsTheCodecs) {
  Schema schema;
  std::ifstream file(std::string(AEVUM_SOURCE_DIR) + "/src/wire/testdata/frames.jsonl");
  int compared = 0;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json frame = nlohmann::json::parse(line);
    const std::string type = TypeOf(frame["method"], frame["direction"] == "request");
    if (type.empty()) continue;
    SCOPED_TRACE(frame["call"].get<std::string>() + " " + type);
    const std::string bytes = FromHex(frame["hex"]);
    const auto theirs = schema.Parse(type, bytes);
    ASSERT_NE(theirs, nullptr);
    EXPECT_FALSE(HasUnknownFields(*theirs));
    const std::string ours_bytes = Recode(type, bytes);
    if (ours_bytes.empty()) continue;
    const auto ours = schema.Parse(type, ours_bytes);
    ASSERT_NE(ours, nullptr);
    EXPECT_FALSE(HasUnknownFields(*ours));
    // Ours leaves hashes out, and sets a field that old peers read in place of the strategy.
    pb::util::MessageDifferencer differ;
    for (const char* ignored :
         {"thanos.Chunk.hash", "thanos.SeriesRequest.partial_response_disabled",
          "thanos.LabelNamesRequest.partial_response_disabled",
          "thanos.LabelValuesRequest.partial_response_disabled"}) {
      const auto* field = schema.pool().FindFieldByName(ignored);
      ASSERT_NE(field, nullptr) << ignored;
      differ.IgnoreField(field);
    }
    std::string difference;
    differ.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differ.Compare(*theirs, *ours)) << difference;
    ++compared;
  }
  EXPECT_GT(compared, 160);
}

// A field by its path, as text.
std::string FieldText(const pb::Message& message, const std::string& path) {
  const std::size_t dot = path.find('.');
  const pb::FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(path.substr(0, dot));
  if (field == nullptr) return "no field " + path;
  const pb::Reflection* reflection = message.GetReflection();
  if (dot == std::string::npos) {
    std::string text;
    pb::TextFormat::PrintFieldValueToString(message, field, field->is_repeated() ? 0 : -1, &text);
    return text;
  }
  return FieldText(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, 0)
                                        : reflection->GetMessage(message, field),
                   path.substr(dot + 1));
}

TEST(DescriptorsTest, SayTheSameAsTheCodecsOfQueries) {
  Schema schema;
  QueryRangeRequest request;
  request.query = "up";
  request.start_seconds = 1;
  request.end_seconds = 2;
  request.interval_seconds = 3;
  request.timeout_seconds = 4;
  request.max_resolution_seconds = 5;
  request.replica_labels = {"r"};
  request.store_matchers = {{model::Matcher::Equal("__address__", "a")}};
  request.enable_dedup = request.enable_partial_response = request.skip_chunks = true;
  request.shard_info = ShardInfo{.total_shards = 2};
  request.lookback_delta_seconds = 6;
  request.engine = QueryEngine::kThanos;
  request.response_batch_size = 7;
  const auto range = schema.Parse("thanos.QueryRangeRequest", Encode(request));
  ASSERT_NE(range, nullptr);
  EXPECT_FALSE(HasUnknownFields(*range));
  for (const auto& [path, text] :
       std::map<std::string, std::string>{{"query", "\"up\""},
                                          {"start_time_seconds", "1"},
                                          {"end_time_seconds", "2"},
                                          {"interval_seconds", "3"},
                                          {"timeout_seconds", "4"},
                                          {"max_resolution_seconds", "5"},
                                          {"replica_labels", "\"r\""},
                                          {"storeMatchers.labelMatchers.value", "\"a\""},
                                          {"enableDedup", "true"},
                                          {"enablePartialResponse", "true"},
                                          {"skipChunks", "true"},
                                          {"shard_info.total_shards", "2"},
                                          {"lookback_delta_seconds", "6"},
                                          {"engine", "thanos"},
                                          {"response_batch_size", "7"}})
    EXPECT_EQ(FieldText(*range, path), text) << path;

  QueryRequest instant_request;
  static_cast<QueryApiOptions&>(instant_request) = request;
  instant_request.time_seconds = 8;
  const auto instant = schema.Parse("thanos.QueryRequest", Encode(instant_request));
  ASSERT_NE(instant, nullptr);
  EXPECT_FALSE(HasUnknownFields(*instant));
  EXPECT_EQ(FieldText(*instant, "time_seconds"), "8");
  EXPECT_EQ(FieldText(*instant, "response_batch_size"), "7");

  QuerySeries series;
  series.labels = model::Labels::Of({{"a", "b"}});
  series.times = {1};
  series.values = {2.5};
  series.histogram_times = {3};
  series.histograms.resize(1);
  series.histograms[0].schema = -1;
  series.histograms[0].count = 4;
  series.histograms[0].positive_spans = {{-2, 1}};
  series.histograms[0].positive_buckets = {1.5};
  const auto response =
      schema.Parse("thanos.QueryRangeResponse", EncodeQuerySeries({&series, 1}, true));
  ASSERT_NE(response, nullptr);
  EXPECT_FALSE(HasUnknownFields(*response));
  for (const auto& [path, text] :
       std::map<std::string, std::string>{{"labels.value", "\"b\""},
                                          {"samples.value", "2.5"},
                                          {"samples.timestamp", "1"},
                                          {"histograms.count_float", "4"},
                                          {"histograms.schema", "-1"},
                                          {"histograms.positive_spans.offset", "-2"},
                                          {"histograms.positive_counts", "1.5"},
                                          {"histograms.timestamp", "3"}})
    EXPECT_EQ(FieldText(*response, "timeseries_batch.series." + path), text) << path;
  const auto stats = schema.Parse("thanos.QueryResponse", EncodeQueryStats({.samples_total = 9}));
  ASSERT_NE(stats, nullptr);
  EXPECT_EQ(FieldText(*stats, "stats.samples_total"), "9");
}

TEST(DescriptorsTest, NameEveryServiceAndMethod) {
  const Schema schema;
  for (const char* method :
       {"thanos.Store.Series", "thanos.Store.LabelNames", "thanos.Store.LabelValues",
        "thanos.info.Info.Info", "thanos.Query.Query", "thanos.Query.QueryRange",
        "thanos.Rules.Rules", "thanos.Targets.Targets", "thanos.Metadata.MetricMetadata",
        "thanos.Exemplars.Exemplars", "thanos.Status.TSDBStatistics", "grpc.health.v1.Health.Check",
        "grpc.health.v1.Health.Watch"})
    EXPECT_NE(schema.pool().FindMethodByName(method), nullptr) << method;
}

}  // namespace
}  // namespace aevum::wire
