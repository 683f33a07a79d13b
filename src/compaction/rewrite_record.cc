#include "compaction/rewrite_record.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace aevum::compaction {
namespace {

using block::JsonValue;
using Kind = JsonValue::Kind;

// In the order of RelabelAction.
constexpr std::array<std::string_view, 11> kActions = {
    "replace",  "keep",      "drop",      "keepequal", "dropequal", "hashmod",
    "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};

JsonValue Of(Kind kind, std::string text = "") {
  JsonValue value;
  value.kind = kind;
  value.text = std::move(text);
  return value;
}

JsonValue Text(std::string text) { return Of(Kind::kString, std::move(text)); }
JsonValue Number(std::int64_t number) { return Of(Kind::kNumber, std::to_string(number)); }

bool IsBounded(const Deletion& deletion) {
  return deletion.min_time != INT64_MIN || deletion.max_time != INT64_MAX;
}

JsonValue Request(std::span<const Deletion> deletions) {
  JsonValue request = Of(Kind::kObject);
  JsonValue matchers = Of(Kind::kArray);
  for (const model::Matcher& matcher : deletions.front().matchers) {
    JsonValue& value = matchers.elements.emplace_back(Of(Kind::kObject));
    value.members.emplace_back("Type", Number(static_cast<std::int64_t>(matcher.type())));
    value.members.emplace_back("Name", Text(matcher.name()));
    value.members.emplace_back("Value", Text(matcher.value()));
  }
  request.members.emplace_back("matchers", std::move(matchers));
  JsonValue intervals = Of(Kind::kArray);
  for (const Deletion& deletion : deletions) {
    if (!IsBounded(deletion)) continue;
    JsonValue& value = intervals.elements.emplace_back(Of(Kind::kObject));
    value.members.emplace_back("Mint", Number(deletion.min_time));
    value.members.emplace_back("Maxt", Number(deletion.max_time));
  }
  if (!intervals.elements.empty()) request.members.emplace_back("intervals", std::move(intervals));
  if (!deletions.front().request_id.empty())
    request.members.emplace_back("request_id", Text(deletions.front().request_id));
  return request;
}

JsonValue Rule(const model::RelabelRule& rule) {
  JsonValue value = Of(Kind::kObject);
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) value.members.emplace_back(name, Text(text));
  };
  if (!rule.source_labels.empty()) {
    JsonValue labels = Of(Kind::kArray);
    for (const std::string& label : rule.source_labels) labels.elements.push_back(Text(label));
    value.members.emplace_back("source_labels", std::move(labels));
  }
  add("separator", rule.separator);
  add("regex", rule.regex);
  if (rule.modulus != 0)
    value.members.emplace_back("modulus", Of(Kind::kNumber, std::to_string(rule.modulus)));
  add("target_label", rule.target_label);
  add("replacement", rule.replacement);
  add("action", std::string(kActions.at(static_cast<std::size_t>(rule.action))));
  return value;
}

}  // namespace

JsonValue RewriteRecord(const model::Ulid& source, std::span<const Deletion> deletions,
                        const model::Relabeler* relabeler) {
  JsonValue record = Of(Kind::kObject);
  JsonValue sources = Of(Kind::kArray);
  sources.elements.push_back(Text(source.ToString()));
  record.members.emplace_back("sources", std::move(sources));
  JsonValue requests = Of(Kind::kArray);
  for (std::size_t first = 0, end = 0; first < deletions.size(); first = end) {
    const Deletion& of = deletions[first];
    end = first + 1;
    while (end < deletions.size() && IsBounded(of) && IsBounded(deletions[end]) &&
           deletions[end].matchers == of.matchers && deletions[end].request_id == of.request_id)
      ++end;
    requests.elements.push_back(Request(deletions.subspan(first, end - first)));
  }
  if (!requests.elements.empty())
    record.members.emplace_back("deletions_applied", std::move(requests));
  if (relabeler != nullptr && !relabeler->empty()) {
    JsonValue rules = Of(Kind::kArray);
    for (const model::RelabelRule& rule : relabeler->rules()) rules.elements.push_back(Rule(rule));
    record.members.emplace_back("relabels_applied", std::move(rules));
  }
  return record;
}

}  // namespace aevum::compaction
