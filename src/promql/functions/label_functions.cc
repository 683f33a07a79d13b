#include "promql/functions/label_functions.h"

#include <algorithm>
#include <map>

#include <re2/re2.h>

#include "model/quote.h"
#include "model/regex.h"
#include "model/relabel.h"
#include "promql/function_table.h"

namespace aevum::promql::functions {
namespace {

const std::string& TextOf(const Call& call, std::size_t index) {
  return As<StringLiteral>(WithoutParens(*call.args[index])).value;
}

Status CheckName(std::string_view name, std::string_view what, std::string_view function) {
  if (!name.empty() && model::IsValidUtf8(name)) return OkStatus();
  return InvalidArgument("invalid {} label name in {}(): {}", what, function, name);
}

}  // namespace

StatusOr<LabelChange> LabelChange::Create(const Call& call) {
  LabelChange change;
  RETURN_IF_ERROR(call.function->name == "label_replace" ? change.InitReplace(call)
                                                         : change.InitJoin(call));
  return change;
}

Status LabelChange::InitReplace(const Call& call) {
  target_ = TextOf(call, 1);
  text_ = TextOf(call, 2);
  sources_ = {TextOf(call, 3)};
  StatusOr<std::unique_ptr<re2::RE2>> regex = model::CompileAnchored(TextOf(call, 4));
  if (!regex.ok()) {
    return InvalidArgument("invalid regular expression in label_replace(): {}", TextOf(call, 4));
  }
  regex_ = std::move(*regex);
  return CheckName(target_, "destination", "label_replace");
}

Status LabelChange::InitJoin(const Call& call) {
  target_ = TextOf(call, 1);
  text_ = TextOf(call, 2);
  for (std::size_t i = 3; i < call.args.size(); ++i) {
    RETURN_IF_ERROR(CheckName(TextOf(call, i), "source", "label_join"));
    sources_.push_back(TextOf(call, i));
  }
  return CheckName(target_, "destination", "label_join");
}

std::optional<model::Labels> LabelChange::Apply(const model::Labels& labels) const {
  std::string value;
  if (regex_) {
    std::optional<std::string> filled = model::FillIn(*regex_, labels.Get(sources_[0]), text_);
    if (!filled) return std::nullopt;
    value = *std::move(filled);
  } else {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (i > 0) value += text_;
      value += labels.Get(sources_[i]);
    }
  }
  return model::LabelsBuilder(labels).Set(target_, value).Build();
}

std::size_t LabelChange::MostBytes(const model::Labels& labels) const {
  std::size_t value = 0;
  for (const std::string& source : sources_) value += labels.Get(source).size();
  // Each reference to a group gives at most the whole text.
  const auto references = static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '$'));
  value = regex_ ? references * value + text_.size() : value + sources_.size() * text_.size();
  // The value, the builder's copy, and the two forms that labels are kept in.
  constexpr std::size_t kCopies = 4;
  return labels.memory_bytes() + kCopies * (value + target_.size());
}

model::Labels AbsentLabels(const Expr& argument) {
  const model::Matchers* matchers = nullptr;
  if (argument.kind == ExprKind::kVectorSelector) {
    matchers = &As<VectorSelector>(argument).matchers;
  } else if (argument.kind == ExprKind::kMatrixSelector) {
    matchers = &As<MatrixSelector>(argument).selector->matchers;
  } else {
    return {};
  }
  // A name that is asked for twice, in whatever way, is not in the answer: the reference lets the
  // first equality stand until the next condition on that name removes it.
  std::map<std::string_view, std::string_view> values;
  std::map<std::string_view, bool> seen;
  for (const model::Matcher& matcher : *matchers) {
    if (matcher.name() == model::kMetricName) continue;
    if (matcher.type() == model::MatchType::kEqual && !seen[matcher.name()]) {
      values[matcher.name()] = matcher.value();
      seen[matcher.name()] = true;
    } else {
      values.erase(matcher.name());
    }
  }
  std::vector<model::Label> labels;
  for (const auto& [name, value] : values) labels.push_back({name, value});
  return model::Labels::FromUnsorted(std::move(labels));
}

}  // namespace aevum::promql::functions
