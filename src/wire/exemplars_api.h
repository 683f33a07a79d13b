// The messages of thanos.Exemplars as plain structs, and their protobuf forms.
//
// The field numbers and meanings are those of Thanos's exemplars/rpc.proto; see proto/thanos/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "model/labels.h"
#include "wire/store_api.h"

namespace aevum::wire {

struct ExemplarsRequest {
  std::string query;  // the selectors of this PromQL expression select series
  TimestampMs start = 0;
  TimestampMs end = 0;  // inclusive
  PartialResponse partial_response = PartialResponse::kWarn;
};

struct Exemplar {
  model::Labels labels;
  double value = 0;
  TimestampMs time = 0;
};

struct ExemplarSeries {
  model::Labels labels;
  std::vector<Exemplar> exemplars;
};

// One message of an answer: a warning, or a series.
struct ExemplarsResponse {
  std::string warning;
  std::optional<ExemplarSeries> series = {};
};

// Encoders never fail; of a response without a series, the warning is written.
// DecodeExemplarsRequest gives InvalidArgument for bytes that are not the message and for a
// strategy that is not known, DecodeExemplarsResponse Corruption. Unknown fields are skipped.
std::string Encode(const ExemplarsRequest& request);
std::string Encode(const ExemplarsResponse& response);
StatusOr<ExemplarsRequest> DecodeExemplarsRequest(std::string_view bytes);
StatusOr<ExemplarsResponse> DecodeExemplarsResponse(std::string_view bytes);

}  // namespace aevum::wire
