#include "wire/metadata_api.h"

#include "encoding/proto_wire.h"
#include "wire/payload_response.h"
#include "wire/request_fields.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

StatusOr<MetricMetadataRequest> ReadRequest(std::string_view bytes) {
  ProtoReader reader(bytes);
  MetricMetadataRequest request;
  request.limit = 0;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        request.metric = reader.Bytes();
        break;
      case 2:
        request.limit = static_cast<std::int32_t>(reader.Int64());
        break;
      case 3: {
        ASSIGN_OR_RETURN(request.partial_response, ReadPartialResponse(reader.Varint()));
        break;
      }
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return request;
}

std::string EntryBytes(const std::string& metric, const std::vector<Metadata>& metas) {
  std::string entry;
  for (const Metadata& meta : metas) {
    std::string bytes;
    PutText(bytes, 1, meta.type);
    PutText(bytes, 2, meta.help);
    PutText(bytes, 3, meta.unit);
    PutBytesField(entry, 2, bytes);
  }
  std::string out;
  PutBytesField(out, 1, metric);  // keys are written also when empty, as all writers of maps do
  PutBytesField(out, 2, entry);
  return out;
}

StatusOr<Metadata> ReadMeta(std::string_view bytes) {
  ProtoReader reader(bytes);
  Metadata meta;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        meta.type = reader.Bytes();
        break;
      case 2:
        meta.help = reader.Bytes();
        break;
      case 3:
        meta.unit = reader.Bytes();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return meta;
}

Status ReadMetas(std::string_view bytes, std::vector<Metadata>* metas) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 2) {
      ASSIGN_OR_RETURN(Metadata meta, ReadMeta(reader.Bytes()));
      metas->push_back(std::move(meta));
    } else {
      reader.Skip();
    }
  }
  return reader.status();
}

Status ReadEntry(std::string_view bytes, MetricMetadata* metadata) {
  ProtoReader reader(bytes);
  std::string metric;
  std::vector<Metadata> metas;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        metric = reader.Bytes();
        break;
      case 2:
        RETURN_IF_ERROR(ReadMetas(reader.Bytes(), &metas));
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  metadata->insert_or_assign(std::move(metric), std::move(metas));
  return OkStatus();
}

Status ReadMetadata(std::string_view bytes, MetricMetadata* metadata) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      RETURN_IF_ERROR(ReadEntry(reader.Bytes(), metadata));
    } else {
      reader.Skip();
    }
  }
  return reader.status();
}

}  // namespace

std::string Encode(const MetricMetadataRequest& request) {
  std::string out;
  PutText(out, 1, request.metric);
  PutInt64Field(out, 2, request.limit);
  PutVarintField(out, 3, static_cast<std::uint64_t>(request.partial_response));
  return out;
}

std::string Encode(const MetricMetadataResponse& response) {
  if (!response.metadata) return EncodeWarningResponse(response.warning);
  std::string metadata;
  for (const auto& [metric, metas] : *response.metadata)
    PutBytesField(metadata, 1, EntryBytes(metric, metas));
  std::string out;
  PutBytesField(out, 1, metadata);
  return out;
}

StatusOr<MetricMetadataRequest> DecodeMetricMetadataRequest(std::string_view bytes) {
  StatusOr<MetricMetadataRequest> request = ReadRequest(bytes);
  if (!request.ok()) return NotTheMessage(request.status(), "MetricMetadataRequest");
  return request;
}

StatusOr<MetricMetadataResponse> DecodeMetricMetadataResponse(std::string_view bytes) {
  MetricMetadataResponse response;
  const auto read = [&](std::string_view payload) {
    if (!response.metadata) response.metadata.emplace();
    return ReadMetadata(payload, &*response.metadata);
  };
  RETURN_IF_ERROR(ReadPayloadResponse(bytes, "MetricMetadataResponse", read, &response.warning));
  return response;
}

}  // namespace aevum::wire
