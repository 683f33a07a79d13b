// The messages of thanos.Metadata as plain structs, and their protobuf forms.
//
// The field numbers and meanings are those of Thanos's metadata/rpc.proto; see proto/thanos/.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "wire/store_api.h"

namespace aevum::wire {

struct MetricMetadataRequest {
  std::string metric;       // "": all
  std::int32_t limit = -1;  // of metrics; below 0: none
  PartialResponse partial_response = PartialResponse::kWarn;
};

// What a target says of a metric.
struct Metadata {
  std::string type;  // "counter", "gauge", ...
  std::string help;
  std::string unit;
  friend bool operator==(const Metadata&, const Metadata&) = default;
};

// By the name of the metric.
using MetricMetadata = std::map<std::string, std::vector<Metadata>, std::less<>>;

// One message of an answer: a warning, or metadata, which may be of no metric at all.
struct MetricMetadataResponse {
  std::string warning;
  std::optional<MetricMetadata> metadata = {};
};

// Encoders never fail; of a response without metadata, the warning is written.
// DecodeMetricMetadataRequest gives InvalidArgument for bytes that are not the message and for a
// strategy that is not known, DecodeMetricMetadataResponse Corruption. Unknown fields are skipped.
std::string Encode(const MetricMetadataRequest& request);
std::string Encode(const MetricMetadataResponse& response);
StatusOr<MetricMetadataRequest> DecodeMetricMetadataRequest(std::string_view bytes);
StatusOr<MetricMetadataResponse> DecodeMetricMetadataResponse(std::string_view bytes);

}  // namespace aevum::wire
