#include "wire/rules_api.h"

#include "encoding/proto_wire.h"
#include "wire/label_codec.h"
#include "wire/payload_response.h"
#include "wire/request_fields.h"
#include "wire/timestamp_codec.h"

namespace aevum::wire {
namespace {

using encoding::ProtoReader;
using encoding::PutBytesField;
using encoding::PutDoubleField;
using encoding::PutInt64Field;
using encoding::PutVarintField;

// The fields that both kinds of rules have have other numbers in each.
struct RuleFields {
  std::uint32_t name, query, labels, health, last_error, evaluation, last_evaluation;
};
constexpr RuleFields kRecording = {1, 2, 3, 4, 5, 6, 7};
constexpr RuleFields kAlerting = {2, 3, 5, 8, 9, 10, 11};

// ---- writing ----

void PutAnnotations(std::string& out, std::uint32_t field, const Annotations& annotations) {
  std::string set;
  for (const auto& [name, text] : annotations) {
    std::string label;
    PutText(label, 1, name);
    PutText(label, 2, text);
    PutBytesField(set, 1, label);
  }
  PutBytesField(out, field, set);
}

std::string AlertBytes(const AlertInstance& alert) {
  std::string out;
  PutLabelSet(out, 1, alert.labels);
  PutAnnotations(out, 2, alert.annotations);
  PutVarintField(out, 3, static_cast<std::uint64_t>(alert.state));
  if (alert.active_at) PutTimestamp(out, 4, *alert.active_at);
  PutText(out, 5, alert.value);
  PutVarintField(out, 6, static_cast<std::uint64_t>(alert.partial_response));
  return out;
}

void PutRule(std::string& out, std::uint32_t field, const Rule& rule) {
  const RuleFields& f = rule.alerting ? kAlerting : kRecording;
  std::string bytes;
  if (rule.alerting) PutVarintField(bytes, 1, static_cast<std::uint64_t>(rule.state));
  PutText(bytes, f.name, rule.name);
  PutText(bytes, f.query, rule.query);
  if (rule.alerting) PutDoubleField(bytes, 4, rule.duration_seconds);
  PutLabelSet(bytes, f.labels, rule.labels);
  if (rule.alerting) {
    PutAnnotations(bytes, 6, rule.annotations);
    for (const AlertInstance& alert : rule.alerts) PutBytesField(bytes, 7, AlertBytes(alert));
  }
  PutText(bytes, f.health, rule.health);
  PutText(bytes, f.last_error, rule.last_error);
  PutDoubleField(bytes, f.evaluation, rule.evaluation_seconds);
  PutTimestamp(bytes, f.last_evaluation, rule.last_evaluation);
  if (rule.alerting) PutDoubleField(bytes, 12, rule.keep_firing_for_seconds);
  std::string of_kind;
  PutBytesField(of_kind, rule.alerting ? 2 : 1, bytes);
  PutBytesField(out, field, of_kind);
}

// ---- reading ----

Status ReadAnnotation(std::string_view bytes, Annotations* annotations) {
  ProtoReader reader(bytes);
  std::string_view name;
  std::string_view text;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        name = reader.Bytes();
        break;
      case 2:
        text = reader.Bytes();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  annotations->emplace_back(name, text);
  return OkStatus();
}

StatusOr<Annotations> ReadAnnotations(std::string_view bytes) {
  ProtoReader reader(bytes);
  Annotations annotations;
  while (reader.Next()) {
    if (reader.field() == 1) {
      RETURN_IF_ERROR(ReadAnnotation(reader.Bytes(), &annotations));
    } else {
      reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return annotations;
}

StatusOr<AlertState> ReadState(std::uint64_t value) {
  if (value > 3) return Corruption("unknown state of an alert: {}", value);
  return static_cast<AlertState>(value);
}

StatusOr<AlertInstance> ReadAlert(std::string_view bytes) {
  ProtoReader reader(bytes);
  AlertInstance alert;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        ASSIGN_OR_RETURN(alert.labels, ReadLabelSet(reader.Bytes()));
        break;
      }
      case 2: {
        ASSIGN_OR_RETURN(alert.annotations, ReadAnnotations(reader.Bytes()));
        break;
      }
      case 3: {
        ASSIGN_OR_RETURN(alert.state, ReadState(reader.Varint()));
        break;
      }
      case 4: {
        ASSIGN_OR_RETURN(alert.active_at, ReadTimestamp(reader.Bytes()));
        break;
      }
      case 5:
        alert.value = reader.Bytes();
        break;
      case 6: {
        ASSIGN_OR_RETURN(alert.partial_response, ReadPartialResponse(reader.Varint()));
        break;
      }
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return alert;
}

// The field that the reader stands on, of those that alerting rules alone have.
Status ReadAlertingField(ProtoReader& reader, Rule* rule) {
  switch (reader.field()) {
    case 1: {
      ASSIGN_OR_RETURN(rule->state, ReadState(reader.Varint()));
      break;
    }
    case 4: {
      ASSIGN_OR_RETURN(rule->duration_seconds, ReadSeconds(reader));
      break;
    }
    case 6: {
      ASSIGN_OR_RETURN(rule->annotations, ReadAnnotations(reader.Bytes()));
      break;
    }
    case 7: {
      ASSIGN_OR_RETURN(AlertInstance alert, ReadAlert(reader.Bytes()));
      rule->alerts.push_back(std::move(alert));
      break;
    }
    case 12: {
      ASSIGN_OR_RETURN(rule->keep_firing_for_seconds, ReadSeconds(reader));
      break;
    }
    default:
      reader.Skip();
  }
  return OkStatus();
}

StatusOr<Rule> ReadRuleOfKind(std::string_view bytes, bool alerting) {
  const RuleFields& f = alerting ? kAlerting : kRecording;
  ProtoReader reader(bytes);
  Rule rule{.alerting = alerting};
  while (reader.Next()) {
    const std::uint32_t field = reader.field();
    if (field == f.name) {
      rule.name = reader.Bytes();
    } else if (field == f.query) {
      rule.query = reader.Bytes();
    } else if (field == f.labels) {
      ASSIGN_OR_RETURN(rule.labels, ReadLabelSet(reader.Bytes()));
    } else if (field == f.health) {
      rule.health = reader.Bytes();
    } else if (field == f.last_error) {
      rule.last_error = reader.Bytes();
    } else if (field == f.evaluation) {
      ASSIGN_OR_RETURN(rule.evaluation_seconds, ReadSeconds(reader));
    } else if (field == f.last_evaluation) {
      ASSIGN_OR_RETURN(rule.last_evaluation, ReadTimestamp(reader.Bytes()));
    } else if (alerting) {
      RETURN_IF_ERROR(ReadAlertingField(reader, &rule));
    } else {
      reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return rule;
}

StatusOr<Rule> ReadRule(std::string_view bytes) {
  ProtoReader reader(bytes);
  std::optional<Rule> rule;
  while (reader.Next()) {
    if (reader.field() == 1 || reader.field() == 2) {
      ASSIGN_OR_RETURN(rule, ReadRuleOfKind(reader.Bytes(), reader.field() == 2));
    } else {
      reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  if (!rule) return Corruption("a rule is neither recording nor alerting");
  return *std::move(rule);
}

StatusOr<RuleGroup> ReadGroup(std::string_view bytes) {
  ProtoReader reader(bytes);
  RuleGroup group;
  while (reader.Next()) {
    switch (reader.field()) {
      case 1:
        group.name = reader.Bytes();
        break;
      case 2:
        group.file = reader.Bytes();
        break;
      case 3: {
        ASSIGN_OR_RETURN(Rule rule, ReadRule(reader.Bytes()));
        group.rules.push_back(std::move(rule));
        break;
      }
      case 4: {
        ASSIGN_OR_RETURN(group.interval_seconds, ReadSeconds(reader));
        break;
      }
      case 5: {
        ASSIGN_OR_RETURN(group.evaluation_seconds, ReadSeconds(reader));
        break;
      }
      case 6: {
        ASSIGN_OR_RETURN(group.last_evaluation, ReadTimestamp(reader.Bytes()));
        break;
      }
      case 8: {
        ASSIGN_OR_RETURN(group.partial_response, ReadPartialResponse(reader.Varint()));
        break;
      }
      case 9:
        group.limit = reader.Int64();
        break;
      default:
        reader.Skip();
    }
  }
  RETURN_IF_ERROR(reader.status());
  return group;
}

Status ReadRequest(std::string_view bytes, RulesRequest* request) {
  ProtoReader reader(bytes);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: {
        const std::uint64_t type = reader.Varint();
        if (type > 2) return InvalidArgument("unknown type of rules: {}", type);
        request->type = static_cast<RuleType>(type);
        break;
      }
      case 2: {
        ASSIGN_OR_RETURN(request->partial_response, ReadPartialResponse(reader.Varint()));
        break;
      }
      case 3:
        request->matchers.emplace_back(reader.Bytes());
        break;
      case 4:
        request->rule_names.emplace_back(reader.Bytes());
        break;
      case 5:
        request->rule_groups.emplace_back(reader.Bytes());
        break;
      case 6:
        request->files.emplace_back(reader.Bytes());
        break;
      default:
        reader.Skip();
    }
  }
  return reader.status();
}

}  // namespace

std::string Encode(const RulesRequest& request) {
  std::string out;
  PutVarintField(out, 1, static_cast<std::uint64_t>(request.type));
  PutVarintField(out, 2, static_cast<std::uint64_t>(request.partial_response));
  PutStrings(out, 3, request.matchers);
  PutStrings(out, 4, request.rule_names);
  PutStrings(out, 5, request.rule_groups);
  PutStrings(out, 6, request.files);
  return out;
}

std::string EncodeRuleGroupResponse(const RuleGroup& group) {
  std::string bytes;
  PutText(bytes, 1, group.name);
  PutText(bytes, 2, group.file);
  for (const Rule& rule : group.rules) PutRule(bytes, 3, rule);
  PutDoubleField(bytes, 4, group.interval_seconds);
  PutDoubleField(bytes, 5, group.evaluation_seconds);
  PutTimestamp(bytes, 6, group.last_evaluation);
  PutVarintField(bytes, 8, static_cast<std::uint64_t>(group.partial_response));
  PutInt64Field(bytes, 9, group.limit);
  std::string out;
  PutBytesField(out, 1, bytes);
  return out;
}

std::string EncodeRulesWarning(std::string_view warning) {
  std::string out;
  PutBytesField(out, 2, warning);
  return out;
}

StatusOr<RulesRequest> DecodeRulesRequest(std::string_view bytes) {
  RulesRequest request;
  RETURN_IF_ERROR(NotTheMessage(ReadRequest(bytes, &request), "RulesRequest"));
  return request;
}

StatusOr<RulesResponse> DecodeRulesResponse(std::string_view bytes) {
  RulesResponse response;
  const auto read = [&](std::string_view payload) -> Status {
    ASSIGN_OR_RETURN(response.group, ReadGroup(payload));
    return OkStatus();
  };
  RETURN_IF_ERROR(ReadPayloadResponse(bytes, "RulesResponse", read, &response.warning));
  if (!response.group && response.warning.empty()) return Corruption("RulesResponse: no group");
  return response;
}

}  // namespace aevum::wire
