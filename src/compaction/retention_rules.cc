#include <yaml-cpp/yaml.h>

#include "base/duration.h"
#include "compaction/retention.h"
#include "promql/parser.h"

namespace aevum::compaction {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 3> kResolutionFields = {"raw", "5m", "1h"};

Status ReadField(const std::string& key, const YAML::Node& node, RetentionRule* rule) {
  if (!node.IsScalar()) return InvalidArgument("{}: not a single value", key);
  if (key == "matchers") {
    auto matchers = promql::ParseSelector(node.Scalar());
    if (!matchers.ok()) return Annotate(matchers.status(), key);
    rule->matchers = *std::move(matchers);
    return OkStatus();
  }
  for (std::size_t i = 0; i < kResolutionFields.size(); ++i) {
    if (key != kResolutionFields[i]) continue;
    const StatusOr<Nanoseconds> duration = ParsePrometheusDuration(node.Scalar());
    if (!duration.ok()) return Annotate(duration.status(), key);
    rule->keep[i] = std::chrono::duration_cast<milliseconds>(*duration);
    // What is not 0 must not become "for ever".
    if (duration->count() != 0 && rule->keep[i]->count() == 0)
      return InvalidArgument("{}: less than a millisecond: {}", key, node.Scalar());
    return OkStatus();
  }
  // A slip of the pen would delete what was to be kept.
  return InvalidArgument("unknown field \"{}\"", key);
}

StatusOr<RetentionRule> ReadRule(const YAML::Node& node) {
  if (!node.IsMap()) return InvalidArgument("not a mapping");
  RetentionRule rule;
  for (const auto& field : node) {
    if (!field.first.IsScalar()) return InvalidArgument("a field whose name is no text");
    RETURN_IF_ERROR(ReadField(field.first.Scalar(), field.second, &rule));
  }
  if (rule.matchers.empty()) return InvalidArgument("no matchers");
  return rule;
}

}  // namespace

StatusOr<std::vector<RetentionRule>> ParseRetentionRules(std::string_view yaml) {
  std::vector<RetentionRule> rules;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (root.IsNull()) return rules;
    if (!root.IsSequence()) return InvalidArgument("retention rules: not a list");
    for (const YAML::Node& node : root) {
      StatusOr<RetentionRule> rule = ReadRule(node);
      if (!rule.ok())
        return Annotate(rule.status(), fmt::format("retention rule {}", rules.size()));
      rules.push_back(*std::move(rule));
    }
  } catch (const YAML::Exception& error) {
    return InvalidArgument("retention rules: {}", error.what());
  }
  return rules;
}

}  // namespace aevum::compaction
