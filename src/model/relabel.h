// Relabelling: rules that change, keep or drop label sets, as Prometheus's relabel_configs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"

namespace re2 {
class RE2;
}

namespace aevum::model {

enum class RelabelAction : std::uint8_t {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase,
};

// One rule. Immutable once it is part of a Relabeler.
struct RelabelRule {
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string target_label;
  std::string regex = "(.*)";
  std::uint64_t modulus = 0;
  std::string replacement = "$1";
  RelabelAction action = RelabelAction::kReplace;
  std::shared_ptr<const re2::RE2> compiled;  // of `regex`, anchored; set by Relabeler::Parse
};

// A list of rules. Immutable, hence safe to share between threads; a copy costs the rules.
class Relabeler {
 public:
  // Reads the YAML (or JSON) list of the contract; "" is the empty list. Fields that are not known
  // are accepted, as Thanos does. InvalidArgument names the rule by its position and what is wrong.
  static StatusOr<Relabeler> Parse(std::string_view yaml);

  // InvalidArgument when a rule has an action that is not among `allowed`.
  Status RestrictTo(std::span<const RelabelAction> allowed) const;

  // The labels after all rules, or nullopt when one drops them.
  std::optional<Labels> Process(const Labels& labels) const;

  bool empty() const { return rules_.empty(); }
  // As long as this object.
  std::span<const RelabelRule> rules() const { return rules_; }

 private:
  std::vector<RelabelRule> rules_;
};

// The replacement with $1, ${name} and their kin filled in by the groups of a match of the whole
// text, as rules of the action `replace` and PromQL's label_replace do; nullopt without a match.
std::optional<std::string> FillIn(const re2::RE2& anchored, std::string_view text,
                                  std::string_view replacement);

}  // namespace aevum::model
