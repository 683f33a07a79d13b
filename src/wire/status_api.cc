#include "wire/status_api.h"

#include "encoding/proto_wire.h"
#include "wire/payload_response.h"
#include "wire/request_fields.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

StatusOr<TsdbStatisticsRequest> ReadRequest(std::string_view bytes) {
  ProtoReader reader(bytes);
  TsdbStatisticsRequest request;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        request.tenant = reader.Bytes();
        break;
      case 2:
        request.limit = static_cast<std::int32_t>(reader.Int64());
        break;
      case 3: {
        ASSIGN_OR_RETURN(request.partial_response, ReadPartialResponse(reader.Varint()));
        break;
      }
      case 4:
        RETURN_IF_ERROR(ReadMatcher(reader.Bytes(), &request.matchers));
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return request;
}

std::string HeadBytes(const HeadStatistics& head) {
  std::string out;
  PutVarintField(out, 1, head.series);
  PutInt64Field(out, 2, head.label_pairs);
  PutInt64Field(out, 3, head.chunks);
  PutInt64Field(out, 4, head.min_time);
  PutInt64Field(out, 5, head.max_time);
  return out;
}

void PutStatistics(std::string& out, std::uint32_t field, const std::vector<Statistic>& list) {
  for (const Statistic& one : list) {
    std::string bytes;
    PutText(bytes, 1, one.name);
    PutVarintField(bytes, 2, one.value);
    PutBytesField(out, field, bytes);
  }
}

std::string EntryBytes(const std::string& tenant, const TsdbStatistics& statistics) {
  std::string entry;
  PutBytesField(entry, 1, HeadBytes(statistics.head));
  PutStatistics(entry, 2, statistics.series_by_metric);
  PutStatistics(entry, 3, statistics.values_by_label);
  PutStatistics(entry, 4, statistics.memory_bytes_by_label);
  PutStatistics(entry, 5, statistics.series_by_label_pair);
  std::string out;
  PutBytesField(out, 1, tenant);  // keys are written also when empty, as all writers of maps do
  PutBytesField(out, 2, entry);
  return out;
}

Status ReadHead(std::string_view bytes, HeadStatistics* head) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        head->series = reader.Varint();
        break;
      case 2:
        head->label_pairs = reader.Int64();
        break;
      case 3:
        head->chunks = reader.Int64();
        break;
      case 4:
        head->min_time = reader.Int64();
        break;
      case 5:
        head->max_time = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  return reader.status();
}

Status ReadStatistic(std::string_view bytes, std::vector<Statistic>* list) {
  ProtoReader reader(bytes);
  Statistic one;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        one.name = reader.Bytes();
        break;
      case 2:
        one.value = reader.Varint();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  list->push_back(std::move(one));
  return OkStatus();
}

Status ReadStatistics(std::string_view bytes, TsdbStatistics* statistics) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        RETURN_IF_ERROR(ReadHead(reader.Bytes(), &statistics->head));
        break;
      case 2:
        RETURN_IF_ERROR(ReadStatistic(reader.Bytes(), &statistics->series_by_metric));
        break;
      case 3:
        RETURN_IF_ERROR(ReadStatistic(reader.Bytes(), &statistics->values_by_label));
        break;
      case 4:
        RETURN_IF_ERROR(ReadStatistic(reader.Bytes(), &statistics->memory_bytes_by_label));
        break;
      case 5:
        RETURN_IF_ERROR(ReadStatistic(reader.Bytes(), &statistics->series_by_label_pair));
        break;
      default:
        reader.Skip();
    }
  }
  return reader.status();
}

Status ReadEntry(std::string_view bytes, TsdbStatisticsByTenant* by_tenant) {
  ProtoReader reader(bytes);
  std::string tenant;
  TsdbStatistics statistics;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        tenant = reader.Bytes();
        break;
      case 2:
        RETURN_IF_ERROR(ReadStatistics(reader.Bytes(), &statistics));
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  by_tenant->insert_or_assign(std::move(tenant), std::move(statistics));
  return OkStatus();
}

Status ReadByTenant(std::string_view bytes, TsdbStatisticsByTenant* by_tenant) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      RETURN_IF_ERROR(ReadEntry(reader.Bytes(), by_tenant));
    } else {
      reader.Skip();
    }
  }
  return reader.status();
}

}  // namespace

std::string Encode(const TsdbStatisticsRequest& request) {
  std::string out;
  PutText(out, 1, request.tenant);
  PutInt64Field(out, 2, request.limit);
  PutVarintField(out, 3, static_cast<std::uint64_t>(request.partial_response));
  PutMatchers(out, 4, request.matchers);
  return out;
}

std::string Encode(const TsdbStatisticsResponse& response) {
  if (!response.statistics) return EncodeWarningResponse(response.warning);
  std::string by_tenant;
  for (const auto& [tenant, statistics] : *response.statistics)
    PutBytesField(by_tenant, 1, EntryBytes(tenant, statistics));
  std::string out;
  PutBytesField(out, 1, by_tenant);
  return out;
}

StatusOr<TsdbStatisticsRequest> DecodeTsdbStatisticsRequest(std::string_view bytes) {
  StatusOr<TsdbStatisticsRequest> request = ReadRequest(bytes);
  if (!request.ok()) return NotTheMessage(request.status(), "TSDBStatisticsRequest");
  return request;
}

StatusOr<TsdbStatisticsResponse> DecodeTsdbStatisticsResponse(std::string_view bytes) {
  TsdbStatisticsResponse response;
  const auto read = [&](std::string_view payload) {
    if (!response.statistics) response.statistics.emplace();
    return ReadByTenant(payload, &*response.statistics);
  };
  RETURN_IF_ERROR(ReadPayloadResponse(bytes, "TsdbStatisticsResponse", read, &response.warning));
  return response;
}

}  // namespace aevum::wire
