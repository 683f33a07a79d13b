// The functions of PromQL that change labels: label_replace, label_join; and those of absent().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "promql/ast.h"

namespace re2 {
class RE2;
}

namespace aevum::promql::functions {

// Gives a label set its new form. Immutable, hence safe to share between threads.
class LabelChange {
 public:
  // Of a call of label_replace or label_join, whose texts are literals. InvalidArgument with
  // Prometheus's text for a bad name or expression.
  static StatusOr<LabelChange> Create(const Call& call);

  // Nothing when label_replace does not match.
  std::optional<model::Labels> Apply(const model::Labels& labels) const;
  // Bytes that Apply takes at most, with what it gives.
  std::size_t MostBytes(const model::Labels& labels) const;
  // True when the call sets __name__: then the name stays even where it would be dropped at the end
  // of the query.
  bool sets_name() const { return target_ == model::kMetricName; }

 private:
  LabelChange() = default;
  Status InitReplace(const Call& call);
  Status InitJoin(const Call& call);

  std::string target_;
  std::string text_;                       // the replacement, or the separator
  std::vector<std::string> sources_;       // one of label_replace, any number of label_join
  std::shared_ptr<const re2::RE2> regex_;  // null: label_join
};

// The labels that absent() and absent_over_time() give: those that the selector asks to be equal to
// a value, once each; none when the argument is no selector.
model::Labels AbsentLabels(const Expr& argument);

}  // namespace aevum::promql::functions
