#include "encoding/proto_wire.h"
#include "wire/label_codec.h"
#include "wire/store_api.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

StatusOr<TimeRange> ReadTimeRange(std::string_view bytes) {
  ProtoReader reader(bytes);
  TimeRange range;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        range.min_time = reader.Int64();
        break;
      case 2:
        range.max_time = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return range;
}

StatusOr<TsdbInfo> ReadTsdbInfo(std::string_view bytes) {
  ProtoReader reader(bytes);
  TsdbInfo info;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        ASSIGN_OR_RETURN(info.labels, ReadLabelSet(reader.Bytes()));
        break;
      }
      case 2:
        info.min_time = reader.Int64();
        break;
      case 3:
        info.max_time = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return info;
}

StatusOr<StoreInfo> ReadStoreInfo(std::string_view bytes) {
  ProtoReader reader(bytes);
  StoreInfo info;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        info.min_time = reader.Int64();
        break;
      case 2:
        info.max_time = reader.Int64();
        break;
      case 3:
        info.supports_sharding = reader.Varint() != 0;
        break;
      case 5:
        info.supports_without_replica_labels = reader.Varint() != 0;
        break;
      case 6: {
        ASSIGN_OR_RETURN(TsdbInfo tsdb, ReadTsdbInfo(reader.Bytes()));
        info.tsdb_infos.push_back(std::move(tsdb));
        break;
      }
      case 7:
        info.supports_projections = reader.Varint() != 0;
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return info;
}

std::string EncodeStoreInfo(const StoreInfo& info) {
  std::string out;
  PutInt64Field(out, 1, info.min_time);
  PutInt64Field(out, 2, info.max_time);
  PutVarintField(out, 3, info.supports_sharding ? 1 : 0);
  PutVarintField(out, 5, info.supports_without_replica_labels ? 1 : 0);
  for (const TsdbInfo& tsdb : info.tsdb_infos) {
    std::string bytes;
    PutLabelSet(bytes, 1, tsdb.labels);
    PutInt64Field(bytes, 2, tsdb.min_time);
    PutInt64Field(bytes, 3, tsdb.max_time);
    PutBytesField(out, 6, bytes);
  }
  PutVarintField(out, 7, info.supports_projections ? 1 : 0);
  return out;
}

StatusOr<InfoResponse> ReadInfoResponse(std::string_view bytes) {
  ProtoReader reader(bytes);
  InfoResponse response;
  const auto present = [&](bool* flag) {
    reader.Bytes();
    *flag = true;
  };
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        ASSIGN_OR_RETURN(model::Labels labels, ReadLabelSet(reader.Bytes()));
        response.label_sets.push_back(std::move(labels));
        break;
      }
      case 2:
        response.component_type = reader.Bytes();
        break;
      case 3: {
        ASSIGN_OR_RETURN(response.store, ReadStoreInfo(reader.Bytes()));
        break;
      }
      case 4:
        present(&response.rules);
        break;
      case 5:
        present(&response.metric_metadata);
        break;
      case 6:
        present(&response.targets);
        break;
      case 7: {
        ASSIGN_OR_RETURN(response.exemplars, ReadTimeRange(reader.Bytes()));
        break;
      }
      case 8:
        present(&response.query);
        break;
      case 9:
        present(&response.status);
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return response;
}

}  // namespace

std::string Encode(const InfoResponse& response) {
  std::string out;
  for (const model::Labels& labels : response.label_sets) PutLabelSet(out, 1, labels);
  if (!response.component_type.empty()) PutBytesField(out, 2, response.component_type);
  if (response.store) PutBytesField(out, 3, EncodeStoreInfo(*response.store));
  if (response.rules) PutBytesField(out, 4, "");
  if (response.metric_metadata) PutBytesField(out, 5, "");
  if (response.targets) PutBytesField(out, 6, "");
  if (response.exemplars) {
    std::string range;
    PutInt64Field(range, 1, response.exemplars->min_time);
    PutInt64Field(range, 2, response.exemplars->max_time);
    PutBytesField(out, 7, range);
  }
  if (response.query) PutBytesField(out, 8, "");
  if (response.status) PutBytesField(out, 9, "");
  return out;
}

StatusOr<InfoResponse> DecodeInfoResponse(std::string_view bytes) {
  StatusOr<InfoResponse> response = ReadInfoResponse(bytes);
  if (!response.ok()) return InvalidArgument("InfoResponse: {}", response.status().message());
  return response;
}

}  // namespace aevum::wire
