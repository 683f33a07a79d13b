#include <cctype>
#include <memory>
#include <set>
#include <string>

#include <re2/re2.h>

#include "promql/function_table.h"
#include "slow_parts.h"

namespace aevum::promql::differential {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes digits, or anything but digits, from the front.
std::string TakeRun(std::string* text) {
  std::size_t end = 1;
  while (end < text->size() && IsDigit((*text)[end]) == IsDigit((*text)[0])) ++end;
  std::string run = text->substr(0, end);
  text->erase(0, end);
  return run;
}

// $1, ${1} and $$ of Go's templates, for groups by number; other names are empty.
std::string Expand(const std::string& text, const std::vector<std::string>& groups) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    if (text[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    const bool braces = text[i + 1] == '{';
    std::size_t end = i + (braces ? 2 : 1);
    const std::size_t start = end;
    while (end < text.size() && (std::isalnum(text[end]) != 0 || text[end] == '_')) ++end;
    const std::string name = text.substr(start, end - start);
    if (name.empty() || (braces && (end == text.size() || text[end] != '}'))) {
      out += '$';
      continue;
    }
    const bool number =
        name.find_first_not_of("0123456789") == std::string::npos && name.size() < 4;
    if (number && static_cast<std::size_t>(std::stoi(name)) < groups.size())
      out += groups[static_cast<std::size_t>(std::stoi(name))];
    i = braces ? end : end - 1;
  }
  return out;
}

using LabelChange = std::function<model::Labels(const model::Labels&)>;

model::Labels With(const model::Labels& labels, const std::string& name, const std::string& value) {
  return model::LabelsBuilder(labels).Set(name, value).Build();
}

StatusOr<LabelChange> Replacing(const Call& call) {
  const std::string target = StringArgument(call, 1);
  const std::string text = StringArgument(call, 2);
  const std::string source = StringArgument(call, 3);
  const auto regex = std::make_shared<RE2>("(?s:" + StringArgument(call, 4) + ")", RE2::Quiet);
  if (!regex->ok() || target.empty())
    return MakeError(StatusCode::kFailedPrecondition, "invalid argument of label_replace");
  return LabelChange([=](const model::Labels& labels) {
    const std::string value(labels.Get(source));
    const int count = regex->NumberOfCapturingGroups() + 1;
    std::vector<re2::StringPiece> parts(static_cast<std::size_t>(count));
    if (!regex->Match(value, 0, value.size(), RE2::ANCHOR_BOTH, parts.data(), count)) return labels;
    std::vector<std::string> groups;
    for (const auto& part : parts) groups.emplace_back(part.data(), part.size());
    return With(labels, target, Expand(text, groups));
  });
}

StatusOr<LabelChange> Joining(const Call& call) {
  const std::string target = StringArgument(call, 1);
  const std::string separator = StringArgument(call, 2);
  std::vector<std::string> sources;
  bool valid = !target.empty();
  for (std::size_t i = 3; i < call.args.size(); ++i) {
    sources.push_back(StringArgument(call, i));
    valid = valid && !sources.back().empty();
  }
  if (!valid) return MakeError(StatusCode::kFailedPrecondition, "invalid argument of label_join");
  return LabelChange([=](const model::Labels& labels) {
    std::string value;
    for (const std::string& source : sources) {
      if (&source != &sources.front()) value += separator;
      value += labels.Get(source);
    }
    return With(labels, target, value);
  });
}

}  // namespace

StatusOr<LabelChange> FindLabelChange(const Call& call) {
  return call.args.size() == 5 && call.function->name == "label_replace" ? Replacing(call)
                                                                         : Joining(call);
}

int NaturalOrder(std::string_view a, std::string_view b) {
  std::string rest_a(a);
  std::string rest_b(b);
  while (!rest_a.empty() && !rest_b.empty()) {
    const std::string run_a = TakeRun(&rest_a);
    const std::string run_b = TakeRun(&rest_b);
    if (IsDigit(run_a[0]) && IsDigit(run_b[0])) {
      const long long number_a = std::stoll(run_a);
      const long long number_b = std::stoll(run_b);
      if (number_a != number_b) return number_a < number_b ? -1 : 1;
    } else if (run_a != run_b) {
      return run_a < run_b ? -1 : 1;
    }
  }
  if (rest_a.empty() != rest_b.empty()) return rest_a.empty() ? -1 : 1;
  return a.compare(b);
}

model::Labels AbsentLabels(const Expr& argument) {
  const Expr& inner = WithoutParens(argument);
  const model::Matchers* matchers = nullptr;
  if (inner.kind == ExprKind::kVectorSelector) matchers = &As<VectorSelector>(inner).matchers;
  if (inner.kind == ExprKind::kMatrixSelector)
    matchers = &As<MatrixSelector>(inner).selector->matchers;
  if (matchers == nullptr) return {};
  std::set<std::string> known;
  std::vector<model::Label> labels;
  for (const model::Matcher& matcher : *matchers) {
    if (matcher.name() == model::kMetricName) continue;
    std::erase_if(labels, [&](const model::Label& label) { return label.name == matcher.name(); });
    if (matcher.type() == model::MatchType::kEqual && known.insert(matcher.name()).second)
      labels.push_back({matcher.name(), matcher.value()});
  }
  return model::Labels::FromUnsorted(std::move(labels));
}

model::Labels WithoutName(const model::Labels& labels) {
  return model::LabelsBuilder(labels).Remove(model::kMetricName).Build();
}

const std::string& StringArgument(const Call& call, std::size_t index) {
  return As<StringLiteral>(WithoutParens(*call.args[index])).value;
}

}  // namespace aevum::promql::differential
