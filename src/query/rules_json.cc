#include "query/rules_json.h"

#include <array>
#include <utility>

#include "model/format_float.h"

namespace aevum::query {
namespace {

// Writes `,"name":value` after the first field of an object.
class Fields {
 public:
  explicit Fields(JsonWriter& writer) : writer_(writer) { writer_.Raw("{"); }
  ~Fields() { writer_.Raw("}"); }
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  JsonWriter& Name(std::string_view name) {
    writer_.Raw(std::exchange(first_, false) ? "\"" : ",\"");
    writer_.Raw(name);
    writer_.Raw("\":");
    return writer_;
  }
  void Text(std::string_view name, std::string_view text) { Name(name).String(text); }
  void Number(std::string_view name, double value) { Name(name).Raw(model::FormatFloat(value)); }
  void Time(std::string_view name, const Timestamp& time) { Text(name, FormatTimestamp(time)); }
  void Labels(std::string_view name, const model::Labels& labels) { Name(name).Labels(labels); }
  void Annotations(const wire::Annotations& annotations) {
    Name("annotations");
    Fields fields(writer_);
    for (const auto& [name, text] : annotations) {
      writer_.Raw(std::exchange(fields.first_, false) ? "" : ",");
      writer_.String(name);
      writer_.Raw(":");
      writer_.String(text);
    }
  }
  // [write(item),...]
  template <typename Items, typename Write>
  void List(std::string_view name, const Items& items, Write write) {
    Name(name).Raw("[");
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) writer_.Raw(",");
      write(item, writer_);
    }
    writer_.Raw("]");
  }

 private:
  JsonWriter& writer_;
  bool first_ = true;
};

std::string_view StateName(wire::AlertState state) {
  constexpr std::array<std::string_view, 4> kNames = {"unknown", "inactive", "pending", "firing"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view HealthName(wire::TargetHealth health) {
  constexpr std::array<std::string_view, 3> kNames = {"down", "up", "unknown"};
  return kNames[static_cast<std::size_t>(health)];
}

std::string_view StrategyName(wire::PartialResponse strategy) {
  return strategy == wire::PartialResponse::kAbort ? "ABORT" : "WARN";
}

void WriteAlert(const wire::AlertInstance& alert, JsonWriter& writer) {
  Fields fields(writer);
  fields.Labels("labels", alert.labels);
  fields.Annotations(alert.annotations);
  fields.Text("state", StateName(alert.state));
  if (alert.active_at) fields.Time("activeAt", *alert.active_at);
  fields.Text("value", alert.value);
  fields.Text("partialResponseStrategy", StrategyName(alert.partial_response));
}

void WriteRule(const wire::Rule& rule, JsonWriter& writer) {
  Fields fields(writer);
  if (rule.alerting) fields.Text("state", StateName(rule.state));
  fields.Text("name", rule.name);
  fields.Text("query", rule.query);
  if (rule.alerting) fields.Number("duration", rule.duration_seconds);
  fields.Labels("labels", rule.labels);
  if (rule.alerting) {
    fields.Annotations(rule.annotations);
    fields.List("alerts", rule.alerts, WriteAlert);
  }
  fields.Text("health", rule.health);
  if (!rule.last_error.empty()) fields.Text("lastError", rule.last_error);
  fields.Number("evaluationTime", rule.evaluation_seconds);
  fields.Time("lastEvaluation", rule.last_evaluation);
  if (rule.alerting) fields.Number("keepFiringFor", rule.keep_firing_for_seconds);
  fields.Text("type", rule.alerting ? "alerting" : "recording");
}

void WriteGroup(const wire::RuleGroup& group, JsonWriter& writer) {
  Fields fields(writer);
  fields.Text("name", group.name);
  fields.Text("file", group.file);
  fields.List("rules", group.rules, WriteRule);
  fields.Number("interval", group.interval_seconds);
  fields.Number("evaluationTime", group.evaluation_seconds);
  fields.Time("lastEvaluation", group.last_evaluation);
  fields.Name("limit").Raw(fmt::format("{}", group.limit));
  fields.Text("partialResponseStrategy", StrategyName(group.partial_response));
}

void WriteActive(const wire::ActiveTarget& target, JsonWriter& writer) {
  Fields fields(writer);
  fields.Labels("discoveredLabels", target.discovered_labels);
  fields.Labels("labels", target.labels);
  fields.Text("scrapePool", target.scrape_pool);
  fields.Text("scrapeUrl", target.scrape_url);
  fields.Text("globalUrl", target.global_url);
  fields.Text("lastError", target.last_error);
  fields.Time("lastScrape", target.last_scrape);
  fields.Number("lastScrapeDuration", target.last_scrape_seconds);
  fields.Text("health", HealthName(target.health));
}

void WriteDropped(const wire::DroppedTarget& target, JsonWriter& writer) {
  Fields fields(writer);
  fields.Labels("discoveredLabels", target.discovered_labels);
}

}  // namespace

void WriteRules(const std::vector<wire::RuleGroup>& groups, JsonWriter& writer) {
  Fields fields(writer);
  fields.List("groups", groups, WriteGroup);
}

void WriteAlerts(const std::vector<wire::RuleGroup>& groups, JsonWriter& writer) {
  std::vector<wire::AlertInstance> alerts;
  for (const wire::RuleGroup& group : groups) {
    for (const wire::Rule& rule : group.rules)
      alerts.insert(alerts.end(), rule.alerts.begin(), rule.alerts.end());
  }
  Fields fields(writer);
  if (alerts.empty()) {
    fields.Name("alerts").Raw("null");
  } else {
    fields.List("alerts", alerts, WriteAlert);
  }
}

void WriteTargets(const wire::TargetDiscovery& targets, JsonWriter& writer) {
  Fields fields(writer);
  fields.List("activeTargets", targets.active, WriteActive);
  fields.List("droppedTargets", targets.dropped, WriteDropped);
}

}  // namespace aevum::query
