// The messages of thanos.Rules as plain structs, and their protobuf forms.
//
// The field numbers and meanings are those of Thanos's rulespb/rpc.proto; see proto/thanos/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/timestamp.h"
#include "model/labels.h"
#include "wire/store_api.h"

namespace aevum::wire {

enum class RuleType : std::uint8_t { kAll = 0, kAlert = 1, kRecord = 2 };
// A later state is more critical.
enum class AlertState : std::uint8_t { kUnknown = 0, kInactive = 1, kPending = 2, kFiring = 3 };

struct RulesRequest {
  RuleType type = RuleType::kAll;
  PartialResponse partial_response = PartialResponse::kWarn;
  std::vector<std::string> matchers;  // selectors as text
  std::vector<std::string> rule_names;
  std::vector<std::string> rule_groups;
  std::vector<std::string> files;
};

// Names and texts in the order in which they came; unlike labels they may be empty.
using Annotations = std::vector<std::pair<std::string, std::string>>;

struct AlertInstance {
  model::Labels labels;
  Annotations annotations;
  AlertState state = AlertState::kUnknown;
  std::optional<Timestamp> active_at;
  std::string value;  // a float as text
  PartialResponse partial_response = PartialResponse::kWarn;
};

// A recording rule, or an alerting one, which alone has the fields behind `last_evaluation`.
struct Rule {
  bool alerting = false;
  std::string name;
  std::string query;
  model::Labels labels;
  std::string health;
  std::string last_error;
  double evaluation_seconds = 0;
  Timestamp last_evaluation;
  AlertState state = AlertState::kUnknown;
  double duration_seconds = 0;
  double keep_firing_for_seconds = 0;
  Annotations annotations;
  std::vector<AlertInstance> alerts;
};

struct RuleGroup {
  std::string name;
  std::string file;
  std::vector<Rule> rules;
  double interval_seconds = 0;
  double evaluation_seconds = 0;
  Timestamp last_evaluation;
  PartialResponse partial_response = PartialResponse::kWarn;
  std::int64_t limit = 0;
};

// One message of an answer: a group, or a warning.
struct RulesResponse {
  std::optional<RuleGroup> group;
  std::string warning;
};

// Encoders never fail.
std::string Encode(const RulesRequest& request);
std::string EncodeRuleGroupResponse(const RuleGroup& group);
std::string EncodeRulesWarning(std::string_view warning);

// InvalidArgument for bytes that are not the message and for a type or strategy that is not known.
StatusOr<RulesRequest> DecodeRulesRequest(std::string_view bytes);
// Corruption when the bytes are not the message: also for a rule of no kind, a state that is not
// known, seconds that are not finite, a time outside the years 1 to 9999, and neither group nor
// warning.
StatusOr<RulesResponse> DecodeRulesResponse(std::string_view bytes);

}  // namespace aevum::wire
