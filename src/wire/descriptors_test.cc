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
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "wire/store_api.h"

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

// What our codec makes of a message; "" when it is not one that it decodes.
std::string Recode(const std::string& type, const std::string& bytes) {
  const auto again = [](const auto& decoded) { return decoded.ok() ? Encode(*decoded) : ""; };
  if (type == "thanos.SeriesRequest") return again(DecodeSeriesRequest(bytes));
  if (type == "thanos.LabelNamesRequest") return again(DecodeLabelNamesRequest(bytes));
  if (type == "thanos.LabelValuesRequest") return again(DecodeLabelValuesRequest(bytes));
  if (type == "thanos.info.InfoResponse") return again(DecodeInfoResponse(bytes));
  if (type == "thanos.LabelNamesResponse" || type == "thanos.LabelValuesResponse")
    return again(DecodeLabelsResponse(bytes));
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
  EXPECT_GT(compared, 100);
}

TEST(DescriptorsTest, NameEveryServiceAndMethod) {
  const Schema schema;
  for (const char* method :
       {"thanos.Store.Series", "thanos.Store.LabelNames", "thanos.Store.LabelValues",
        "thanos.info.Info.Info", "grpc.health.v1.Health.Check", "grpc.health.v1.Health.Watch"})
    EXPECT_NE(schema.pool().FindMethodByName(method), nullptr) << method;
}

}  // namespace
}  // namespace aevum::wire
