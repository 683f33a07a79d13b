#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <vector>

#include "promql/engine/elementwise.h"
#include "promql/function_table.h"
#include "promql/functions/natural_order.h"
#include "promql/functions/whole_vectors.h"

namespace aevum::promql {
namespace {

// Whether row a comes before row b.
using Before = std::function<bool(const RowBatch& rows, std::size_t a, std::size_t b)>;

// NaN is last in both directions; what is equal is in the order of its labels.
Before ByValue(bool descending) {
  return [descending](const RowBatch& rows, std::size_t a, std::size_t b) {
    const double x = rows.values(a)[0];
    const double y = rows.values(b)[0];
    if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
    if (x < y) return !descending;
    if (x > y) return descending;
    return rows.labels(a) < rows.labels(b);
  };
}

Before ByLabels(std::vector<std::string> names, bool descending) {
  return
      [names = std::move(names), descending](const RowBatch& rows, std::size_t a, std::size_t b) {
        for (const std::string& name : names) {
          const int order =
              functions::CompareNaturally(rows.labels(a).Get(name), rows.labels(b).Get(name));
          if (order != 0) return descending ? order > 0 : order < 0;
        }
        return descending ? rows.labels(b) < rows.labels(a) : rows.labels(a) < rows.labels(b);
      };
}

// Reads its source whole and gives the rows with a value at the only step, in order.
class SortOperator final : public Operator {
 public:
  // Histograms have no place among values, but one among labels.
  SortOperator(QueryState& state, OperatorPtr source, Before before, bool histograms)
      : state_(state),
        source_(std::move(source)),
        before_(std::move(before)),
        histograms_(histograms) {}

  StatusOr<bool> Next(RowBatch* out) override {
    if (sorted_ == nullptr) {
      ASSIGN_OR_RETURN(RowBatch rows, Materialize(*source_, state_, 1));
      Sort(&rows);
      sorted_ = MakeRowSource(std::move(rows), state_.context.budget());
    }
    return sorted_->Next(out);
  }

 private:
  void Sort(RowBatch* rows) const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      if (histograms_ ? rows->Holds(i, 0) : rows->present(i)[0] != 0) order.push_back(i);
    }
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return before_(*rows, a, b); });
    rows->Select(order);
  }

  QueryState& state_;
  OperatorPtr source_;
  const Before before_;
  const bool histograms_;
  OperatorPtr sorted_;
};

}  // namespace

StatusOr<OperatorPtr> MakeSort(const Call& call, Planner& planner) {
  const std::string_view name = call.function->name;
  const bool descending = name.ends_with("_desc");
  ASSIGN_OR_RETURN(OperatorPtr source, planner.Vector(*call.args[0], name));
  if (planner.steps() > 1) {
    planner.state().annotations.AddWarning(
        "sort is ineffective for range queries since results are always ordered by labels", call);
    if (name.starts_with("sort_by_label")) return source;
    // Sorting by value leaves histograms out.
    return MakeElementwise(
        planner.state(), planner.steps(), std::move(source),
        [](double*, std::uint8_t*, std::size_t) {}, NameRule::kKeep, true);
  }
  Before before = ByValue(descending);
  if (name.starts_with("sort_by_label")) {
    std::vector<std::string> names;
    for (std::size_t i = 1; i < call.args.size(); ++i) {
      ASSIGN_OR_RETURN(std::string label, Planner::String(*call.args[i]));
      names.push_back(std::move(label));
    }
    before = ByLabels(std::move(names), descending);
  }
  return OperatorPtr(std::make_unique<SortOperator>(
      planner.state(), std::move(source), std::move(before), name.starts_with("sort_by_label")));
}

}  // namespace aevum::promql
