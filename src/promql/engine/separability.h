// Which leaves hold the series of an expression, and whether each can evaluate it alone.
//
// Every series behind a leaf carries the external labels of one of the leaf's stores. Two leaves
// are disjoint on some labels when no combination of values of those labels occurs behind both:
// then no series with these labels unchanged can be behind both either. An expression is separable
// when each of its series comes from series of one leaf. What is kept of the labels decides it:
//
//     selector               keeps all external labels but the replicas'
//     function of one value  what its argument keeps; label_replace loses its target
//     aggregation            what its grouping leaves; separable when leaves are disjoint on that,
//                            since each group then lies behind one leaf
//     binary operator        what the matching compares; likewise
//     absent, scalar, sort   not separable: they look at all series at once
//
// Where only one leaf can hold series, everything is separable.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/remote.h"

namespace aevum::promql {

struct Separability {
  std::vector<std::size_t> leaves;  // that may hold its series, ascending
  bool reads = false;               // there is a selector
  bool local = false;               // some series may be where no leaf reads, or it can't be told
  bool separable = true;
  // The labels that tell leaves apart and that all its series carry unchanged, sorted; nullopt: it
  // has no series, hence all.
  std::optional<std::vector<std::string>> kept;
  // Its rows come in ascending order of their labels, provided that dropping the name of the metric
  // does not change that order.
  bool sorted = false;
  bool drops_names = false;
  // The time of the step has no part in it: with all selectors shifted it gives the same.
  bool shiftable = true;
};

// Of all nodes of a tree, which it borrows as it does the distribution. Thread-compatible.
class SeparabilityMap {
 public:
  // `state` says when and how far back the query looks; durations must be resolved.
  SeparabilityMap(const Expr& root, const Distribution& distribution, const QueryState& state,
                  const Grid& grid);

  const Separability& Of(const Expr& expr) const { return known_.at(&expr); }
  // True when leaves can evaluate the expression, each its own series, and all series together are
  // its answer.
  bool IsOfLeaves(const Expr& expr);

 private:
  using LabelNames = std::optional<std::vector<std::string>>;
  struct Span {
    TimestampMs first;
    TimestampMs last;
  };

  const Separability& Analyse(const Expr& expr, Span span);
  Separability NodeOf(const Expr& expr, Span span);
  Separability Selector(const VectorSelector& selector, std::int64_t back_ms, Span span);
  Separability Subquery(const SubqueryExpr& subquery, Span span);
  Separability Aggregate(const AggregateExpr& expr, Span span);
  Separability Binary(const BinaryExpr& expr, Span span);
  Separability VectorBinary(const BinaryExpr& expr, const Separability& lhs,
                            const Separability& rhs);
  Separability Call(const promql::Call& call, Span span);
  void OfOneArgument(const promql::Call& call, const Expr& argument, Separability* result);
  // Whether dropping the names leaves the order that rows have.
  bool StaysSorted(const Separability& known, const Expr& expr) const;
  Span Applied(const TimeModifiers& time, Span span) const;
  // Leaves that share label sets are one leaf when one of them covers the span.
  void ChooseCovering(Span span, Separability* result);
  // The labels that tell leaves apart and that every label set of these leaves has.
  std::vector<std::string> SharedLabels(const std::vector<std::size_t>& leaves) const;
  bool Disjoint(const std::vector<std::size_t>& leaves, const LabelNames& labels);
  std::vector<model::Labels> Projection(std::size_t leaf, const std::vector<std::string>& labels);

  const Distribution& distribution_;
  const QueryState& state_;
  const Grid grid_;
  // Around the node that is looked at: subqueries and what is evaluated at one step for all.
  int single_steps_ = 0;
  std::vector<std::vector<std::string>> leaf_labels_;
  std::unordered_map<const Expr*, Separability> known_;
  std::map<std::pair<std::vector<std::size_t>, std::vector<std::string>>, bool> disjoint_;
};

}  // namespace aevum::promql
