#include "wire/exemplars_api.h"

#include "encoding/proto_wire.h"
#include "wire/label_codec.h"
#include "wire/payload_response.h"
#include "wire/request_fields.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutDoubleField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

StatusOr<ExemplarsRequest> ReadRequest(std::string_view bytes) {
  ProtoReader reader(bytes);
  ExemplarsRequest request;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        request.query = reader.Bytes();
        break;
      case 2:
        request.start = reader.Int64();
        break;
      case 3:
        request.end = reader.Int64();
        break;
      case 4: {
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

StatusOr<Exemplar> ReadExemplar(std::string_view bytes) {
  ProtoReader reader(bytes);
  Exemplar exemplar;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        ASSIGN_OR_RETURN(exemplar.labels, ReadLabelSet(reader.Bytes()));
        break;
      }
      case 2:
        exemplar.value = reader.Double();
        break;
      case 3:
        exemplar.time = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return exemplar;
}

StatusOr<ExemplarSeries> ReadSeries(std::string_view bytes) {
  ProtoReader reader(bytes);
  ExemplarSeries series;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        ASSIGN_OR_RETURN(series.labels, ReadLabelSet(reader.Bytes()));
        break;
      }
      case 2: {
        ASSIGN_OR_RETURN(Exemplar exemplar, ReadExemplar(reader.Bytes()));
        series.exemplars.push_back(std::move(exemplar));
        break;
      }
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return series;
}

}  // namespace

std::string Encode(const ExemplarsRequest& request) {
  std::string out;
  PutText(out, 1, request.query);
  PutInt64Field(out, 2, request.start);
  PutInt64Field(out, 3, request.end);
  PutVarintField(out, 4, static_cast<std::uint64_t>(request.partial_response));
  return out;
}

std::string Encode(const ExemplarsResponse& response) {
  if (!response.series) return EncodeWarningResponse(response.warning);
  std::string series;
  PutLabelSet(series, 1, response.series->labels);
  for (const Exemplar& exemplar : response.series->exemplars) {
    std::string bytes;
    PutLabelSet(bytes, 1, exemplar.labels);
    PutDoubleField(bytes, 2, exemplar.value);
    PutInt64Field(bytes, 3, exemplar.time);
    PutBytesField(series, 2, bytes);
  }
  std::string out;
  PutBytesField(out, 1, series);
  return out;
}

StatusOr<ExemplarsRequest> DecodeExemplarsRequest(std::string_view bytes) {
  StatusOr<ExemplarsRequest> request = ReadRequest(bytes);
  if (!request.ok()) return NotTheMessage(request.status(), "ExemplarsRequest");
  return request;
}

StatusOr<ExemplarsResponse> DecodeExemplarsResponse(std::string_view bytes) {
  ExemplarsResponse response;
  const auto read = [&](std::string_view payload) -> Status {
    ASSIGN_OR_RETURN(response.series, ReadSeries(payload));
    return OkStatus();
  };
  RETURN_IF_ERROR(ReadPayloadResponse(bytes, "ExemplarsResponse", read, &response.warning));
  return response;
}

}  // namespace aevum::wire
