// A condition on one label: equal, different, or a regular expression.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"

namespace aevum::model {

class RegexMatcher;  // model/regex.h

// The numbers of LabelMatcher.Type on the wire.
enum class MatchType : std::uint8_t { kEqual = 0, kNotEqual = 1, kRegex = 2, kNotRegex = 3 };

// Immutable, hence safe to share between threads; a copy costs a counter and two strings.
class Matcher {
 public:
  // InvalidArgument when a regular expression does not compile; the message is RE2's.
  static StatusOr<Matcher> Create(MatchType type, std::string name, std::string value);
  // Equality can't fail.
  static Matcher Equal(std::string name, std::string value);

  // A label that is absent counts as "".
  bool Matches(std::string_view value) const;
  bool Matches(const Labels& labels) const { return Matches(labels.Get(name_)); }
  bool MatchesEmpty() const { return Matches(std::string_view()); }

  MatchType type() const { return type_; }
  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  // The finite set of values that a regular expression matches, sorted, or empty when it has none
  // that is known. Only for kRegex and kNotRegex.
  const std::vector<std::string>& set_matches() const;

  // name="value" as PromQL writes it.
  std::string ToString() const;
  friend bool operator==(const Matcher& a, const Matcher& b) {
    return a.type_ == b.type_ && a.name_ == b.name_ && a.value_ == b.value_;
  }

 private:
  Matcher(MatchType type, std::string name, std::string value)
      : type_(type), name_(std::move(name)), value_(std::move(value)) {}

  MatchType type_;
  std::string name_;
  std::string value_;
  std::shared_ptr<const RegexMatcher> regex_;
};

using Matchers = std::vector<Matcher>;

// True when all match.
bool MatchesAll(const Matchers& matchers, const Labels& labels);
// {a="b",c=~"d"}
std::string ToString(const Matchers& matchers);

}  // namespace aevum::model
