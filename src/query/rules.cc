#include "query/rules.h"

#include <algorithm>
#include <compare>
#include <tuple>

#include "model/matcher.h"
#include "promql/parser.h"

namespace aevum::query {
namespace {

// Any order that does not depend on where they stand; -0 is 0.
std::strong_ordering Compare(double a, double b) {
  return a == b ? std::strong_ordering::equal : std::strong_order(a, b);
}

// Equal: the same rule, seen by replicas.
std::strong_ordering Compare(const wire::Rule& a, const wire::Rule& b) {
  if (const auto order = b.alerting <=> a.alerting; order != 0) return order;
  if (const auto order =
          std::tie(a.name, a.labels, a.query) <=> std::tie(b.name, b.labels, b.query);
      order != 0)
    return order;
  return Compare(a.duration_seconds, b.duration_seconds);
}

// Of the same rule.
bool IsBetter(const wire::Rule& candidate, const wire::Rule& kept) {
  if (candidate.state != kept.state) return candidate.state > kept.state;
  return candidate.last_evaluation > kept.last_evaluation;
}

void DeduplicateGroup(const std::vector<std::string>& replica_labels,
                      std::vector<wire::Rule>* rules) {
  for (wire::Rule& rule : *rules) {
    model::LabelsBuilder builder(rule.labels);
    for (const std::string& name : replica_labels) builder.Remove(name);
    rule.labels = builder.Build();
  }
  std::stable_sort(rules->begin(), rules->end(),
                   [](const wire::Rule& a, const wire::Rule& b) { return Compare(a, b) < 0; });
  std::size_t kept = 0;
  for (std::size_t i = 1; i < rules->size(); ++i) {
    wire::Rule& rule = (*rules)[i];
    if (Compare((*rules)[kept], rule) != 0)
      ++kept;
    else if (!IsBetter(rule, (*rules)[kept]))
      continue;
    if (kept != i) (*rules)[kept] = std::move(rule);
  }
  if (!rules->empty()) rules->resize(kept + 1);
}

bool IsTemplate(std::string_view value) { return value.find("{{") != std::string_view::npos; }

bool Satisfies(const wire::Rule& rule, const std::vector<model::Matchers>& all) {
  for (const model::Matchers& matchers : all) {
    for (const model::Matcher& matcher : matchers) {
      const std::string_view value = rule.labels.Get(matcher.name());
      if (!matcher.Matches(IsTemplate(value) ? std::string_view() : value)) return false;
    }
  }
  return true;
}

// An empty list allows everything.
bool Lists(const std::vector<std::string>& list, const std::string& text) {
  return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

// Bytes of heap that a group takes, roughly.
std::int64_t MemoryOf(const wire::RuleGroup& group) {
  std::size_t bytes = sizeof group;
  for (const wire::Rule& rule : group.rules) {
    bytes += sizeof rule + rule.name.size() + rule.query.size() + rule.last_error.size() +
             rule.labels.memory_bytes();
    for (const wire::AlertInstance& alert : rule.alerts) {
      bytes += sizeof alert + alert.labels.memory_bytes();
      for (const auto& [name, text] : alert.annotations)
        bytes += 2 * sizeof name + name.size() + text.size();
    }
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace

StatusOr<RulesAnswer> Rules::Collect(const Context& context,
                                     const wire::RulesRequest& request) const {
  RulesAnswer answer;
  MemoryCharge charge(context.budget());
  Status over_budget;
  const auto take = [&](const ServiceEndpoint&, std::string_view message) -> Status {
    ASSIGN_OR_RETURN(wire::RulesResponse response, wire::DecodeRulesResponse(message));
    if (!response.warning.empty()) answer.warnings.push_back(std::move(response.warning));
    if (!response.group || !over_budget.ok()) return OkStatus();
    over_budget = charge.Add(MemoryOf(*response.group), "rules");
    if (over_budget.ok()) answer.groups.push_back(*std::move(response.group));
    return OkStatus();
  };
  RETURN_IF_ERROR(
      fan_out_.Ask(context,
                   {.path = "/thanos.Rules/Rules",
                    .what = "rules",
                    .span = "proxy_rules",
                    .request = wire::Encode(request),
                    .partial_response = request.partial_response,
                    .offered = [](const wire::InfoResponse& info) { return info.rules; }},
                   take, &answer.warnings));
  RETURN_IF_ERROR(over_budget);
  NormaliseWarnings(&answer.warnings);
  return answer;
}

StatusOr<RulesAnswer> Rules::Ask(const Context& context, const wire::RulesRequest& request) const {
  auto answer = Collect(context, request);
  if (!answer.ok()) return Annotate(answer.status(), "proxy Rules");
  RETURN_IF_ERROR(FilterRules(request, &answer->groups));
  DeduplicateRules(replica_labels_, &answer->groups);
  return answer;
}

Status FilterRules(const wire::RulesRequest& request, std::vector<wire::RuleGroup>* groups) {
  std::vector<model::Matchers> matchers;
  for (const std::string& text : request.matchers) {
    auto parsed = promql::ParseSelector(text);
    if (!parsed.ok()) return Annotate(parsed.status(), "parser ParseMetricSelector");
    matchers.push_back(*std::move(parsed));
  }
  if (matchers.empty() && request.rule_names.empty() && request.rule_groups.empty() &&
      request.files.empty())
    return OkStatus();
  std::erase_if(*groups, [&](wire::RuleGroup& group) {
    if (!Lists(request.rule_groups, group.name) || !Lists(request.files, group.file)) return true;
    std::erase_if(group.rules, [&](const wire::Rule& rule) {
      return !Lists(request.rule_names, rule.name) || !Satisfies(rule, matchers);
    });
    return group.rules.empty();
  });
  return OkStatus();
}

void DeduplicateRules(const std::vector<std::string>& replica_labels,
                      std::vector<wire::RuleGroup>* groups) {
  const auto key = [](const wire::RuleGroup& group) { return group.file + ";" + group.name; };
  std::stable_sort(groups->begin(), groups->end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  std::vector<wire::RuleGroup> joined;
  for (wire::RuleGroup& group : *groups) {
    if (joined.empty() || key(joined.back()) != key(group)) {
      joined.push_back(std::move(group));
      continue;
    }
    std::vector<wire::Rule>& rules = joined.back().rules;
    std::move(group.rules.begin(), group.rules.end(), std::back_inserter(rules));
  }
  for (wire::RuleGroup& group : joined) DeduplicateGroup(replica_labels, &group.rules);
  *groups = std::move(joined);
}

}  // namespace aevum::query
