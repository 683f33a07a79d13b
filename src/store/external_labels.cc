#include "store/external_labels.h"

#include <algorithm>
#include <string_view>

namespace aevum::store {

std::optional<model::Matchers> MatchExternalLabels(const model::Matchers& matchers,
                                                   const model::Labels& external) {
  model::Matchers rest;
  for (const model::Matcher& matcher : matchers) {
    const std::string_view value = external.Get(matcher.name());
    if (value.empty()) {
      rest.push_back(matcher);
    } else if (!matcher.Matches(value)) {
      return std::nullopt;
    }
  }
  return rest;
}

bool MayMatch(const model::Matchers& matchers, std::span<const model::Labels> label_sets) {
  const auto refuses = [](const model::Matcher& matcher, const model::Labels& labels) {
    const std::string_view value = labels.Get(matcher.name());
    return !value.empty() && !matcher.Matches(value);
  };
  return label_sets.empty() ||
         std::any_of(label_sets.begin(), label_sets.end(), [&](const model::Labels& labels) {
           return std::none_of(matchers.begin(), matchers.end(),
                               [&](const model::Matcher& m) { return refuses(m, labels); });
         });
}

model::Labels ExtendLabels(const model::Labels& labels, const model::Labels& external) {
  model::LabelsBuilder builder(labels);
  for (const model::Label label : external) builder.Set(label.name, label.value);
  return builder.Build();
}

}  // namespace aevum::store
