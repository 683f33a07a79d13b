#include "sidecar/rules_answers.h"

#include <algorithm>
#include <array>
#include <optional>

#include "sidecar/prometheus_json.h"

namespace aevum::sidecar {
namespace {

constexpr std::string_view kGroup = "data.groups[]";
constexpr std::string_view kRule = "data.groups[].rules[]";
constexpr std::string_view kAlert = "data.groups[].rules[].alerts[]";
constexpr std::string_view kActive = "data.activeTargets[]";
constexpr std::string_view kDropped = "data.droppedTargets[]";

StatusOr<std::optional<Timestamp>> TimeMember(JsonElement parent, std::string_view name,
                                              std::string_view path) {
  ASSIGN_OR_RETURN(const std::string_view text, StringMember(parent, name, path));
  if (text.empty()) return std::optional<Timestamp>();
  const auto time = ParseTimestamp(text);
  if (!time.ok()) return Unavailable("field {}.{}: {}", path, name, time.status().message());
  return std::optional(*time);
}

StatusOr<Timestamp> LastTimeMember(JsonElement parent, std::string_view name,
                                   std::string_view path) {
  ASSIGN_OR_RETURN(const std::optional<Timestamp> time, TimeMember(parent, name, path));
  return time.value_or(kUnsetTimestamp);
}

Status TextMember(JsonElement parent, std::string_view name, std::string_view path,
                  std::string* text) {
  ASSIGN_OR_RETURN(const std::string_view value, StringMember(parent, name, path));
  text->assign(value);
  return OkStatus();
}

StatusOr<model::Labels> LabelsMember(JsonElement parent, std::string_view name,
                                     std::string_view path) {
  JsonElement value;
  if (parent.at_key(name).get(value) != simdjson::SUCCESS || value.is_null())
    return model::Labels();
  return LabelsOf(value, fmt::format("{}.{}", path, name));
}

StatusOr<wire::Annotations> AnnotationsMember(JsonElement parent, std::string_view path) {
  wire::Annotations annotations;
  JsonElement value;
  if (parent.at_key("annotations").get(value) != simdjson::SUCCESS || value.is_null())
    return annotations;
  const std::string field = fmt::format("{}.annotations", path);
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return WrongType(field, "an object", value);
  for (const auto member : object) {
    ASSIGN_OR_RETURN(const std::string_view text, AsString(member.value, field));
    annotations.emplace_back(member.key, text);
  }
  std::sort(annotations.begin(), annotations.end());
  return annotations;
}

// The position of a text among the names that it may have.
template <std::size_t kCount>
StatusOr<std::size_t> OneOf(JsonElement parent, std::string_view name, std::string_view path,
                            const std::array<std::string_view, kCount>& names) {
  ASSIGN_OR_RETURN(const std::string_view text, StringMember(parent, name, path));
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return Unavailable("field {}.{}: unknown \"{}\"", path, name, text);
  return static_cast<std::size_t>(found - names.begin());
}

StatusOr<wire::AlertState> StateMember(JsonElement parent, std::string_view path) {
  constexpr std::array<std::string_view, 4> kStates = {"unknown", "inactive", "pending", "firing"};
  ASSIGN_OR_RETURN(const std::size_t state, OneOf(parent, "state", path, kStates));
  return static_cast<wire::AlertState>(state);
}

StatusOr<wire::AlertInstance> AlertOf(JsonElement value) {
  wire::AlertInstance alert;
  ASSIGN_OR_RETURN(alert.labels, LabelsMember(value, "labels", kAlert));
  ASSIGN_OR_RETURN(alert.annotations, AnnotationsMember(value, kAlert));
  ASSIGN_OR_RETURN(alert.state, StateMember(value, kAlert));
  ASSIGN_OR_RETURN(alert.active_at, TimeMember(value, "activeAt", kAlert));
  RETURN_IF_ERROR(TextMember(value, "value", kAlert, &alert.value));
  return alert;
}

Status ReadAlerting(JsonElement value, wire::Rule* rule) {
  ASSIGN_OR_RETURN(rule->state, StateMember(value, kRule));
  ASSIGN_OR_RETURN(rule->duration_seconds, NumberMember(value, "duration", kRule));
  ASSIGN_OR_RETURN(rule->keep_firing_for_seconds, NumberMember(value, "keepFiringFor", kRule));
  ASSIGN_OR_RETURN(rule->annotations, AnnotationsMember(value, kRule));
  ASSIGN_OR_RETURN(const std::vector<JsonElement> alerts, ArrayMember(value, "alerts", kRule));
  for (const JsonElement item : alerts) {
    ASSIGN_OR_RETURN(wire::AlertInstance alert, AlertOf(item));
    rule->alerts.push_back(std::move(alert));
  }
  return OkStatus();
}

StatusOr<wire::Rule> RuleOf(JsonElement value) {
  constexpr std::array<std::string_view, 2> kTypes = {"recording", "alerting"};
  ASSIGN_OR_RETURN(const std::size_t type, OneOf(value, "type", kRule, kTypes));
  wire::Rule rule{.alerting = type == 1};
  RETURN_IF_ERROR(TextMember(value, "name", kRule, &rule.name));
  RETURN_IF_ERROR(TextMember(value, "query", kRule, &rule.query));
  ASSIGN_OR_RETURN(rule.labels, LabelsMember(value, "labels", kRule));
  RETURN_IF_ERROR(TextMember(value, "health", kRule, &rule.health));
  RETURN_IF_ERROR(TextMember(value, "lastError", kRule, &rule.last_error));
  ASSIGN_OR_RETURN(rule.evaluation_seconds, NumberMember(value, "evaluationTime", kRule));
  ASSIGN_OR_RETURN(rule.last_evaluation, LastTimeMember(value, "lastEvaluation", kRule));
  if (rule.alerting) RETURN_IF_ERROR(ReadAlerting(value, &rule));
  return rule;
}

StatusOr<wire::RuleGroup> GroupOf(JsonElement value) {
  wire::RuleGroup group;
  // Prometheus has no such strategy: a rule whose series are not whole is not evaluated.
  group.partial_response = wire::PartialResponse::kAbort;
  RETURN_IF_ERROR(TextMember(value, "name", kGroup, &group.name));
  RETURN_IF_ERROR(TextMember(value, "file", kGroup, &group.file));
  ASSIGN_OR_RETURN(group.interval_seconds, NumberMember(value, "interval", kGroup));
  ASSIGN_OR_RETURN(group.evaluation_seconds, NumberMember(value, "evaluationTime", kGroup));
  ASSIGN_OR_RETURN(group.last_evaluation, LastTimeMember(value, "lastEvaluation", kGroup));
  ASSIGN_OR_RETURN(const double limit, NumberMember(value, "limit", kGroup));
  constexpr double kLargest = 1 << 30;
  group.limit = static_cast<std::int64_t>(std::clamp(limit, -kLargest, kLargest));
  ASSIGN_OR_RETURN(const std::vector<JsonElement> rules, ArrayMember(value, "rules", kGroup));
  for (const JsonElement item : rules) {
    ASSIGN_OR_RETURN(wire::Rule rule, RuleOf(item));
    group.rules.push_back(std::move(rule));
  }
  return group;
}

StatusOr<wire::ActiveTarget> ActiveOf(JsonElement value) {
  constexpr std::array<std::string_view, 3> kHealth = {"down", "up", "unknown"};
  wire::ActiveTarget target;
  ASSIGN_OR_RETURN(target.discovered_labels, LabelsMember(value, "discoveredLabels", kActive));
  ASSIGN_OR_RETURN(target.labels, LabelsMember(value, "labels", kActive));
  RETURN_IF_ERROR(TextMember(value, "scrapePool", kActive, &target.scrape_pool));
  RETURN_IF_ERROR(TextMember(value, "scrapeUrl", kActive, &target.scrape_url));
  RETURN_IF_ERROR(TextMember(value, "globalUrl", kActive, &target.global_url));
  RETURN_IF_ERROR(TextMember(value, "lastError", kActive, &target.last_error));
  ASSIGN_OR_RETURN(target.last_scrape, LastTimeMember(value, "lastScrape", kActive));
  ASSIGN_OR_RETURN(target.last_scrape_seconds, NumberMember(value, "lastScrapeDuration", kActive));
  ASSIGN_OR_RETURN(const std::size_t health, OneOf(value, "health", kActive, kHealth));
  target.health = static_cast<wire::TargetHealth>(health);
  return target;
}

}  // namespace

StatusOr<std::vector<wire::RuleGroup>> ParseRulesAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  std::vector<wire::RuleGroup> groups;
  ASSIGN_OR_RETURN(const std::vector<JsonElement> items,
                   ArrayMember(envelope.data, "groups", "data"));
  for (const JsonElement item : items) {
    ASSIGN_OR_RETURN(wire::RuleGroup group, GroupOf(item));
    groups.push_back(std::move(group));
  }
  return groups;
}

StatusOr<wire::TargetDiscovery> ParseTargetsAnswer(std::string_view json) {
  Envelope envelope;
  RETURN_IF_ERROR(envelope.Parse(json));
  wire::TargetDiscovery targets;
  ASSIGN_OR_RETURN(const std::vector<JsonElement> active,
                   ArrayMember(envelope.data, "activeTargets", "data"));
  for (const JsonElement item : active) {
    ASSIGN_OR_RETURN(wire::ActiveTarget target, ActiveOf(item));
    targets.active.push_back(std::move(target));
  }
  ASSIGN_OR_RETURN(const std::vector<JsonElement> dropped,
                   ArrayMember(envelope.data, "droppedTargets", "data"));
  for (const JsonElement item : dropped) {
    ASSIGN_OR_RETURN(model::Labels labels, LabelsMember(item, "discoveredLabels", kDropped));
    targets.dropped.push_back({.discovered_labels = std::move(labels)});
  }
  return targets;
}

}  // namespace aevum::sidecar
