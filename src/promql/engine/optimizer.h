// Rewrites a query into one that gives the same answer for less work, and notes what the planner
// can make use of.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "promql/ast.h"
#include "promql/queryable.h"

namespace aevum::promql {

// What is known of the nodes of a tree; valid as long as the tree.
struct PlanNotes {
  // The largest parts that give the same at every step, because their selectors are fixed in time
  // by @: evaluated once.
  std::unordered_set<const Expr*> step_invariant;
  // Aggregations that come more than once, to the last of them, which is evaluated for all: what it
  // says in annotations is at the place that Prometheus names.
  std::unordered_map<const Expr*, const Expr*> same_as;
};

// Changes a checked tree whose durations are resolved:
//   - operators between numbers become their result;
//   - matchers of one side of a binary operator are added to the selector of the other, for labels
//     that both sides must agree in. What that takes away can't match, and no error of the matching
//     is lost by it. Annotations about series that can't match are no longer given.
PlanNotes Optimize(const Queryable& source, ExprPtr* expr);

}  // namespace aevum::promql
