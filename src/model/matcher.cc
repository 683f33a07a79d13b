#include "model/matcher.h"

#include <algorithm>

#include "model/quote.h"
#include "model/regex.h"

namespace aevum::model {
namespace {

std::string_view Operator(MatchType type) {
  switch (type) {
    case MatchType::kEqual:
      return "=";
    case MatchType::kNotEqual:
      return "!=";
    case MatchType::kRegex:
      return "=~";
    case MatchType::kNotRegex:
      return "!~";
  }
  return "=";
}

}  // namespace

StatusOr<Matcher> Matcher::Create(MatchType type, std::string name, std::string value) {
  Matcher matcher(type, std::move(name), std::move(value));
  if (type == MatchType::kRegex || type == MatchType::kNotRegex) {
    ASSIGN_OR_RETURN(matcher.regex_, RegexMatcher::Compile(matcher.value_));
  }
  return matcher;
}

Matcher Matcher::Equal(std::string name, std::string value) {
  return {MatchType::kEqual, std::move(name), std::move(value)};
}

bool Matcher::Matches(std::string_view value) const {
  switch (type_) {
    case MatchType::kEqual:
      return value == value_;
    case MatchType::kNotEqual:
      return value != value_;
    case MatchType::kRegex:
      return regex_->Matches(value);
    case MatchType::kNotRegex:
      return !regex_->Matches(value);
  }
  return false;
}

const std::vector<std::string>& Matcher::set_matches() const {
  static const std::vector<std::string> none;
  return regex_ ? regex_->set_matches() : none;
}

std::string Matcher::ToString() const {
  std::string text;
  if (IsLegacyLabelName(name_)) {
    text = name_;
  } else {
    AppendGoQuoted(text, name_);
  }
  text += Operator(type_);
  AppendGoQuoted(text, value_);
  return text;
}

bool MatchesAll(const Matchers& matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& matcher) { return matcher.Matches(labels); });
}

std::string ToString(const Matchers& matchers) {
  std::string text = "{";
  for (const Matcher& matcher : matchers) {
    if (text.size() > 1) text += ',';
    text += matcher.ToString();
  }
  return text + "}";
}

}  // namespace aevum::model
