#include "wire/query_api.h"

#include "encoding/proto_wire.h"
#include "wire/request_fields.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

// The numbers of the common fields are those of QueryRequest, and two more in QueryRangeRequest,
// which has three times instead of one.
constexpr std::uint32_t kInstantShift = 0;
constexpr std::uint32_t kRangeShift = 2;

void PutOptions(std::string& out, std::uint32_t shift, const QueryApiOptions& options) {
  PutInt64Field(out, shift + 3, options.timeout_seconds);
  PutInt64Field(out, shift + 4, options.max_resolution_seconds);
  PutStrings(out, shift + 5, options.replica_labels);
  for (const model::Matchers& list : options.store_matchers) {
    std::string matchers;
    PutMatchers(matchers, 1, list);
    PutBytesField(out, shift + 6, matchers);
  }
  PutVarintField(out, shift + 7, options.enable_dedup ? 1 : 0);
  PutVarintField(out, shift + 8, options.enable_partial_response ? 1 : 0);
  PutVarintField(out, shift + 10, options.skip_chunks ? 1 : 0);
  if (options.shard_info) PutShardInfo(out, shift + 11, *options.shard_info);
  PutInt64Field(out, shift + 12, options.lookback_delta_seconds);
  PutVarintField(out, shift + 13, static_cast<std::uint64_t>(options.engine));
  PutInt64Field(out, shift + 15, options.response_batch_size);
}

StatusOr<model::Matchers> ReadStoreMatchers(std::string_view bytes) {
  ProtoReader reader(bytes);
  model::Matchers matchers;
  while (reader.Next()) {
    if (reader.field() == 1) {
      RETURN_IF_ERROR(ReadMatcher(reader.Bytes(), &matchers));
    } else {
      reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return matchers;
}

StatusOr<QueryEngine> ReadEngine(std::uint64_t value) {
  if (value > 2) return InvalidArgument("invalid engine parameter");
  return static_cast<QueryEngine>(value);
}

// The field that the reader stands on, its number counted as in QueryRequest.
Status ReadOption(ProtoReader& reader, std::uint32_t field, QueryApiOptions* options) {
  switch (field) {
    case 3:
      options->timeout_seconds = reader.Int64();
      break;
    case 4:
      options->max_resolution_seconds = reader.Int64();
      break;
    case 5:
      options->replica_labels.emplace_back(reader.Bytes());
      break;
    case 6: {
      ASSIGN_OR_RETURN(model::Matchers matchers, ReadStoreMatchers(reader.Bytes()));
      options->store_matchers.push_back(std::move(matchers));
      break;
    }
    case 7:
      options->enable_dedup = reader.Varint() != 0;
      break;
    case 8:
      options->enable_partial_response = reader.Varint() != 0;
      break;
    case 10:
      options->skip_chunks = reader.Varint() != 0;
      break;
    case 11: {
      ASSIGN_OR_RETURN(options->shard_info, ReadShardInfo(reader.Bytes()));
      break;
    }
    case 12:
      options->lookback_delta_seconds = reader.Int64();
      break;
    case 13: {
      ASSIGN_OR_RETURN(options->engine, ReadEngine(reader.Varint()));
      break;
    }
    case 15:
      options->response_batch_size = reader.Int64();
      break;
    default:
      reader.Skip();
  }
  return OkStatus();
}

Status ReadRequest(std::string_view bytes, QueryRequest* request) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        request->query = reader.Bytes();
        break;
      case 2:
        request->time_seconds = reader.Int64();
        break;
      default:
        RETURN_IF_ERROR(ReadOption(reader, reader.field(), request));
    }
  }
  return reader.status();
}

Status ReadRequest(std::string_view bytes, QueryRangeRequest* request) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        request->query = reader.Bytes();
        break;
      case 2:
        request->start_seconds = reader.Int64();
        break;
      case 3:
        request->end_seconds = reader.Int64();
        break;
      case 4:
        request->interval_seconds = reader.Int64();
        break;
      default:
        RETURN_IF_ERROR(ReadOption(reader, reader.field() - kRangeShift, request));
    }
  }
  return reader.status();
}

}  // namespace

std::string Encode(const QueryRequest& request) {
  std::string out;
  PutText(out, 1, request.query);
  PutInt64Field(out, 2, request.time_seconds);
  PutOptions(out, kInstantShift, request);
  return out;
}

std::string Encode(const QueryRangeRequest& request) {
  std::string out;
  PutText(out, 1, request.query);
  PutInt64Field(out, 2, request.start_seconds);
  PutInt64Field(out, 3, request.end_seconds);
  PutInt64Field(out, 4, request.interval_seconds);
  PutOptions(out, kRangeShift, request);
  return out;
}

StatusOr<QueryRequest> DecodeQueryRequest(std::string_view bytes) {
  QueryRequest request;
  RETURN_IF_ERROR(NotTheMessage(ReadRequest(bytes, &request), "QueryRequest"));
  return request;
}

StatusOr<QueryRangeRequest> DecodeQueryRangeRequest(std::string_view bytes) {
  QueryRangeRequest request;
  RETURN_IF_ERROR(NotTheMessage(ReadRequest(bytes, &request), "QueryRangeRequest"));
  return request;
}

}  // namespace aevum::wire
