#include "wire/store_api.h"

#include <algorithm>

#include "encoding/proto_wire.h"
#include "wire/request_fields.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

void PutQueryHints(std::string& out, std::uint32_t field, const QueryHints& hints) {
  std::string bytes;
  PutInt64Field(bytes, 1, hints.step_ms);
  std::string part;
  if (!hints.function.empty()) {
    PutText(part, 1, hints.function);
    PutBytesField(bytes, 2, part);
  }
  if (hints.grouping_by || !hints.grouping_labels.empty()) {
    part.clear();
    PutVarintField(part, 1, hints.grouping_by ? 1 : 0);
    PutStrings(part, 3, hints.grouping_labels);
    PutBytesField(bytes, 4, part);
  }
  if (hints.range_ms != 0) {
    part.clear();
    PutInt64Field(part, 1, hints.range_ms);
    PutBytesField(bytes, 5, part);
  }
  PutBytesField(out, field, bytes);
}

Status ReadGrouping(std::string_view bytes, QueryHints* hints) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        hints->grouping_by = reader.Varint() != 0;
        break;
      case 3:
        hints->grouping_labels.emplace_back(reader.Bytes());
        break;
      default:
        reader.Skip();
    }
  }
  return reader.status();
}

// The only field of a message with one field, number 1.
template <typename Read>
Status ReadOnlyField(std::string_view bytes, Read read) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    if (reader.field() == 1) {
      read(reader);
    } else {
      reader.Skip();
    }
  }
  return reader.status();
}

StatusOr<QueryHints> ReadQueryHints(std::string_view bytes) {
  ProtoReader reader(bytes);
  QueryHints hints;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        hints.step_ms = reader.Int64();
        break;
      case 2:
        RETURN_IF_ERROR(
            ReadOnlyField(reader.Bytes(), [&](ProtoReader& r) { hints.function = r.Bytes(); }));
        break;
      case 4:
        RETURN_IF_ERROR(ReadGrouping(reader.Bytes(), &hints));
        break;
      case 5:
        RETURN_IF_ERROR(
            ReadOnlyField(reader.Bytes(), [&](ProtoReader& r) { hints.range_ms = r.Int64(); }));
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return hints;
}

// Repeated enums may come packed or one by one.
Status ReadAggregate(std::uint64_t value, std::vector<Aggr>* out) {
  if (value > 5) return InvalidArgument("unknown aggregate: {}", value);
  out->push_back(static_cast<Aggr>(value));
  return OkStatus();
}

Status ReadAggregates(ProtoReader& reader, std::vector<Aggr>* out) {
  if (reader.type() == encoding::WireType::kVarint) return ReadAggregate(reader.Varint(), out);
  encoding::ByteReader packed(reader.Bytes());
  while (!packed.done()) RETURN_IF_ERROR(ReadAggregate(packed.ReadUvarint(), out));
  return packed.status();
}

StatusOr<SeriesRequest> ReadSeriesRequest(std::string_view bytes) {
  ProtoReader reader(bytes);
  SeriesRequest request;
  bool partial_response_disabled = false;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        request.min_time = reader.Int64();
        break;
      case 2:
        request.max_time = reader.Int64();
        break;
      case 3:
        RETURN_IF_ERROR(ReadMatcher(reader.Bytes(), &request.matchers));
        break;
      case 4:
        request.max_resolution_window_ms = reader.Int64();
        break;
      case 5:
        RETURN_IF_ERROR(ReadAggregates(reader, &request.aggregates));
        break;
      case 6:
        partial_response_disabled = reader.Varint() != 0;
        break;
      case 7: {
        ASSIGN_OR_RETURN(request.partial_response, ReadPartialResponse(reader.Varint()));
        break;
      }
      case 8:
        request.skip_chunks = reader.Varint() != 0;
        break;
      case 9:
        request.hints = reader.Bytes();
        break;
      case 12: {
        ASSIGN_OR_RETURN(request.query_hints, ReadQueryHints(reader.Bytes()));
        break;
      }
      case 13: {
        ASSIGN_OR_RETURN(request.shard_info, ReadShardInfo(reader.Bytes()));
        break;
      }
      case 14:
        request.without_replica_labels.emplace_back(reader.Bytes());
        break;
      case 15:
        request.limit = reader.Int64();
        break;
      case 16:
        request.response_batch_size = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  if (partial_response_disabled) request.partial_response = PartialResponse::kAbort;
  return request;
}

// LabelNamesRequest and LabelValuesRequest differ in the field numbers after the first.
struct LabelsFields {
  std::uint32_t partial_response_disabled, partial_response, start, end, hints, matchers, without,
      limit;
};
constexpr LabelsFields kNamesFields = {1, 2, 3, 4, 5, 6, 7, 8};
constexpr LabelsFields kValuesFields = {2, 3, 4, 5, 6, 7, 8, 9};

template <typename Request>
void PutLabelsRequest(std::string& out, const LabelsFields& f, const Request& request) {
  const bool abort = request.partial_response == PartialResponse::kAbort;
  PutVarintField(out, f.partial_response_disabled, abort ? 1 : 0);
  PutVarintField(out, f.partial_response, static_cast<std::uint64_t>(request.partial_response));
  PutInt64Field(out, f.start, request.start);
  PutInt64Field(out, f.end, request.end);
  PutText(out, f.hints, request.hints);
  PutMatchers(out, f.matchers, request.matchers);
  PutStrings(out, f.without, request.without_replica_labels);
  PutInt64Field(out, f.limit, request.limit);
}

template <typename Request>
Status ReadLabelsField(ProtoReader& reader, const LabelsFields& f, Request* request) {
  const std::uint32_t field = reader.field();
  if (field == f.partial_response_disabled) {
    if (reader.Varint() != 0) request->partial_response = PartialResponse::kAbort;
  } else if (field == f.partial_response) {
    ASSIGN_OR_RETURN(const PartialResponse strategy, ReadPartialResponse(reader.Varint()));
    if (strategy == PartialResponse::kAbort) request->partial_response = strategy;
  } else if (field == f.start) {
    request->start = reader.Int64();
  } else if (field == f.end) {
    request->end = reader.Int64();
  } else if (field == f.hints) {
    request->hints = reader.Bytes();
  } else if (field == f.matchers) {
    return ReadMatcher(reader.Bytes(), &request->matchers);
  } else if (field == f.without) {
    request->without_replica_labels.emplace_back(reader.Bytes());
  } else if (field == f.limit) {
    request->limit = reader.Int64();
  } else {
    reader.Skip();
  }
  return OkStatus();
}

StatusOr<LabelNamesRequest> ReadLabelNamesRequest(std::string_view bytes) {
  ProtoReader reader(bytes);
  LabelNamesRequest request;
  while (reader.Next()) RETURN_IF_ERROR(ReadLabelsField(reader, kNamesFields, &request));
  RETURN_IF_ERROR(reader.status());
  return request;
}

StatusOr<LabelValuesRequest> ReadLabelValuesRequest(std::string_view bytes) {
  ProtoReader reader(bytes);
  LabelValuesRequest request;
  while (reader.Next()) {
    if (reader.field() == 1) {
      request.label = reader.Bytes();
    } else {
      RETURN_IF_ERROR(ReadLabelsField(reader, kValuesFields, &request));
    }
  }
  RETURN_IF_ERROR(reader.status());
  return request;
}

template <typename T, typename Read>
StatusOr<T> Named(std::string_view message, Read read) {
  StatusOr<T> result = read();
  if (!result.ok()) return NotTheMessage(result.status(), message);
  return result;
}

}  // namespace

std::string Encode(const SeriesRequest& request) {
  std::string out;
  PutInt64Field(out, 1, request.min_time);
  PutInt64Field(out, 2, request.max_time);
  PutMatchers(out, 3, request.matchers);
  PutInt64Field(out, 4, request.max_resolution_window_ms);
  if (!request.aggregates.empty()) {
    std::string packed;
    for (const Aggr aggregate : request.aggregates) packed += static_cast<char>(aggregate);
    PutBytesField(out, 5, packed);
  }
  // Peers before the strategy existed read the deprecated flag.
  PutVarintField(out, 6, request.partial_response == PartialResponse::kAbort ? 1 : 0);
  PutVarintField(out, 7, static_cast<std::uint64_t>(request.partial_response));
  PutVarintField(out, 8, request.skip_chunks ? 1 : 0);
  PutText(out, 9, request.hints);
  if (request.query_hints) {
    PutInt64Field(out, 10, request.query_hints->step_ms);
    PutInt64Field(out, 11, request.query_hints->range_ms);
    PutQueryHints(out, 12, *request.query_hints);
  }
  if (request.shard_info) PutShardInfo(out, 13, *request.shard_info);
  PutStrings(out, 14, request.without_replica_labels);
  PutInt64Field(out, 15, request.limit);
  PutInt64Field(out, 16, request.response_batch_size);
  return out;
}

std::string Encode(const LabelNamesRequest& request) {
  std::string out;
  PutLabelsRequest(out, kNamesFields, request);
  return out;
}

std::string Encode(const LabelValuesRequest& request) {
  std::string out;
  PutText(out, 1, request.label);
  PutLabelsRequest(out, kValuesFields, request);
  return out;
}

std::string Encode(const LabelsResponse& response) {
  std::string out;
  PutStrings(out, 1, response.strings);
  PutStrings(out, 2, response.warnings);
  PutText(out, 3, response.hints);
  return out;
}

StatusOr<SeriesRequest> DecodeSeriesRequest(std::string_view bytes) {
  return Named<SeriesRequest>("SeriesRequest", [&] { return ReadSeriesRequest(bytes); });
}

StatusOr<LabelNamesRequest> DecodeLabelNamesRequest(std::string_view bytes) {
  return Named<LabelNamesRequest>("LabelNamesRequest",
                                  [&] { return ReadLabelNamesRequest(bytes); });
}

StatusOr<LabelValuesRequest> DecodeLabelValuesRequest(std::string_view bytes) {
  return Named<LabelValuesRequest>("LabelValuesRequest",
                                   [&] { return ReadLabelValuesRequest(bytes); });
}

StatusOr<LabelsResponse> DecodeLabelsResponse(std::string_view bytes) {
  ProtoReader reader(bytes);
  LabelsResponse response;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        response.strings.emplace_back(reader.Bytes());
        break;
      case 2:
        response.warnings.emplace_back(reader.Bytes());
        break;
      case 3:
        response.hints = reader.Bytes();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(NotTheMessage(reader.status(), "labels response"));
  return response;
}

}  // namespace aevum::wire
