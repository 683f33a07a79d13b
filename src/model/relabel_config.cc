#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <re2/re2.h>
#include <yaml-cpp/yaml.h>

#include "model/quote.h"
#include "model/regex.h"
#include "model/relabel.h"

namespace aevum::model {
namespace {

struct ActionName {
  std::string_view name;
  RelabelAction action;
};

constexpr std::array<ActionName, 11> kActions = {{{"replace", RelabelAction::kReplace},
                                                  {"keep", RelabelAction::kKeep},
                                                  {"drop", RelabelAction::kDrop},
                                                  {"keepequal", RelabelAction::kKeepEqual},
                                                  {"dropequal", RelabelAction::kDropEqual},
                                                  {"hashmod", RelabelAction::kHashMod},
                                                  {"labelmap", RelabelAction::kLabelMap},
                                                  {"labeldrop", RelabelAction::kLabelDrop},
                                                  {"labelkeep", RelabelAction::kLabelKeep},
                                                  {"lowercase", RelabelAction::kLowercase},
                                                  {"uppercase", RelabelAction::kUppercase}}};

// Which fields a rule gives; some actions forbid some.
struct Given {
  bool separator = false;
  bool regex = false;
  bool replacement = false;
};

StatusOr<RelabelAction> ParseAction(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  for (const ActionName& candidate : kActions) {
    if (candidate.name == name) return candidate.action;
  }
  return InvalidArgument("unknown relabel action \"{}\"", name);
}

StatusOr<std::uint64_t> ParseModulus(const std::string& text) {
  std::uint64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last)
    return InvalidArgument("modulus: not a whole number: \"{}\"", text);
  return value;
}

// A label name that may hold $1 and ${1}, as the target of a replacement may.
bool IsTargetTemplate(std::string_view text) { return !text.empty() && IsValidUtf8(text); }

Status ReadSourceLabels(const YAML::Node& node, RelabelRule* rule) {
  if (!node.IsSequence()) return InvalidArgument("source_labels: not a list");
  for (const YAML::Node& name : node) {
    if (!name.IsScalar() || name.Scalar().empty() || !IsValidUtf8(name.Scalar())) {
      return InvalidArgument("source_labels: \"{}\" is not a valid label name",
                             name.IsScalar() ? name.Scalar() : "");
    }
    rule->source_labels.push_back(name.Scalar());
  }
  return OkStatus();
}

Status ReadField(const std::string& key, const YAML::Node& node, RelabelRule* rule, Given* given) {
  if (node.IsNull()) return OkStatus();
  if (key == "source_labels") return ReadSourceLabels(node, rule);
  const bool known = key == "separator" || key == "target_label" || key == "regex" ||
                     key == "modulus" || key == "replacement" || key == "action";
  if (!known) return OkStatus();
  if (!node.IsScalar()) return InvalidArgument("{}: not a single value", key);
  const std::string& text = node.Scalar();
  if (key == "separator") {
    rule->separator = text;
    given->separator = true;
  } else if (key == "target_label") {
    rule->target_label = text;
  } else if (key == "regex") {
    rule->regex = text;
    given->regex = true;
  } else if (key == "modulus") {
    ASSIGN_OR_RETURN(rule->modulus, ParseModulus(text));
  } else if (key == "replacement") {
    rule->replacement = text;
    given->replacement = true;
  } else {
    ASSIGN_OR_RETURN(rule->action, ParseAction(text));
  }
  return OkStatus();
}

Status CheckByNameRule(const RelabelRule& rule, const Given& given, std::string_view action) {
  if (!rule.source_labels.empty() || !rule.target_label.empty() || rule.modulus != 0 ||
      given.separator || given.replacement) {
    return InvalidArgument("{} action requires only 'regex', and no other fields", action);
  }
  return OkStatus();
}

Status Check(const RelabelRule& rule, const Given& given) {
  const auto it = std::find_if(kActions.begin(), kActions.end(), [&](const ActionName& candidate) {
    return candidate.action == rule.action;
  });
  const std::string_view action = it->name;
  const bool replacement_changed = given.replacement && rule.replacement != "$1";
  switch (rule.action) {
    case RelabelAction::kHashMod:
      if (rule.modulus == 0)
        return InvalidArgument("relabel configuration for hashmod requires non-zero modulus");
      [[fallthrough]];
    case RelabelAction::kReplace:
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
      if (rule.target_label.empty()) {
        return InvalidArgument("relabel configuration for {} action requires 'target_label' value",
                               action);
      }
      if (!IsTargetTemplate(rule.target_label)) {
        return InvalidArgument("\"{}\" is invalid 'target_label' for {} action", rule.target_label,
                               action);
      }
      if (rule.action != RelabelAction::kReplace && rule.action != RelabelAction::kHashMod &&
          replacement_changed) {
        return InvalidArgument("'replacement' can not be set for {} action", action);
      }
      return OkStatus();
    case RelabelAction::kKeepEqual:
    case RelabelAction::kDropEqual:
      if (rule.target_label.empty()) {
        return InvalidArgument("relabel configuration for {} action requires 'target_label' value",
                               action);
      }
      if (given.regex || rule.modulus != 0 || given.separator || replacement_changed) {
        return InvalidArgument(
            "{} action requires only 'source_labels' and `target_label`, and no other fields",
            action);
      }
      return OkStatus();
    case RelabelAction::kLabelMap:
      if (!IsTargetTemplate(rule.replacement)) {
        return InvalidArgument("\"{}\" is invalid 'replacement' for {} action", rule.replacement,
                               action);
      }
      return OkStatus();
    case RelabelAction::kLabelDrop:
    case RelabelAction::kLabelKeep:
      return CheckByNameRule(rule, given, action);
    case RelabelAction::kKeep:
    case RelabelAction::kDrop:
      return OkStatus();
  }
  return OkStatus();
}

StatusOr<RelabelRule> ReadRule(const YAML::Node& node) {
  if (!node.IsMap()) return InvalidArgument("not a mapping of fields");
  RelabelRule rule;
  Given given;
  for (const auto& field : node) {
    if (!field.first.IsScalar()) return InvalidArgument("a field name is not text");
    RETURN_IF_ERROR(ReadField(field.first.Scalar(), field.second, &rule, &given));
  }
  RETURN_IF_ERROR(Check(rule, given));
  ASSIGN_OR_RETURN(rule.compiled, CompileAnchored(rule.regex));
  return rule;
}

}  // namespace

StatusOr<Relabeler> Relabeler::Parse(std::string_view yaml) {
  Relabeler relabeler;
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (!root || root.IsNull()) return relabeler;
    if (!root.IsSequence())
      return InvalidArgument("parsing relabel configuration: not a list of rules");
    for (const YAML::Node& node : root) {
      StatusOr<RelabelRule> rule = ReadRule(node);
      if (!rule.ok()) {
        return Annotate(rule.status(),
                        fmt::format("relabel rule {} (line {})", relabeler.rules_.size() + 1,
                                    node.Mark().line + 1));
      }
      relabeler.rules_.push_back(*std::move(rule));
    }
  } catch (const YAML::Exception& error) {
    return InvalidArgument("parsing relabel configuration: {}", error.what());
  }
  return relabeler;
}

}  // namespace aevum::model
