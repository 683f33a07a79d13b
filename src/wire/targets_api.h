// The messages of thanos.Targets as plain structs, and their protobuf forms.
//
// The field numbers and meanings are those of Thanos's targetspb/rpc.proto; see proto/thanos/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/timestamp.h"
#include "model/labels.h"
#include "wire/store_api.h"

namespace aevum::wire {

enum class TargetState : std::uint8_t { kAny = 0, kActive = 1, kDropped = 2 };
enum class TargetHealth : std::uint8_t { kDown = 0, kUp = 1, kUnknown = 2 };

struct TargetsRequest {
  TargetState state = TargetState::kAny;
  PartialResponse partial_response = PartialResponse::kWarn;
};

struct ActiveTarget {
  model::Labels discovered_labels;
  model::Labels labels;
  std::string scrape_pool;
  std::string scrape_url;
  std::string global_url;
  std::string last_error;
  Timestamp last_scrape;
  double last_scrape_seconds = 0;
  TargetHealth health = TargetHealth::kDown;
};

struct DroppedTarget {
  model::Labels discovered_labels;
};

struct TargetDiscovery {
  std::vector<ActiveTarget> active;
  std::vector<DroppedTarget> dropped;
};

// One message of an answer: targets, or a warning.
struct TargetsResponse {
  std::optional<TargetDiscovery> targets;
  std::string warning;
};

// Encoders never fail.
std::string Encode(const TargetsRequest& request);
std::string EncodeTargetsResponse(const TargetDiscovery& targets);
std::string EncodeTargetsWarning(std::string_view warning);

// InvalidArgument for bytes that are not the message and for a state or strategy that is not known.
StatusOr<TargetsRequest> DecodeTargetsRequest(std::string_view bytes);
// Corruption when the bytes are not the message: also for a health that is not known, seconds
// that are not finite, a time outside the years 1 to 9999, and neither targets nor warning.
StatusOr<TargetsResponse> DecodeTargetsResponse(std::string_view bytes);

}  // namespace aevum::wire
