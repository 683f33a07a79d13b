// Which parts of an expression other queriers evaluate.
//
// The answer must be that of a local evaluation, bit for bit, so a part is handed out only where
// that is provable. Three things stand in the way:
//
// - Leaves that may hold parts of the same series, replicas among them: deduplication needs all
//   samples in one place. Only separable expressions (separability.h) are handed out.
// - Order. A sum of floating point numbers depends on the order of its terms, also when it is
//   compensated; sums of the leaves' sums are other numbers than one sum over all series. So sum,
//   avg, stddev, stdvar and quantile are handed out where each group lies behind one leaf, since
//   the grouping keeps the labels that tell leaves apart; else leaves evaluate the functions below
//   (rate and its like), and the aggregation runs here over their rows, merged back into the order
//   that the series would have here. Of aggregations whose groups span leaves, count, min, max and
//   group come together exactly from those of the leaves, and so do topk, bottomk and limitk, where
//   ties go to the first in the same order.
// - What is cheaper left undone: a bare selector, whose rows are larger than its chunks.
//
// What only shows when rows come makes the plan doubtful: a leaf that can't evaluate its part, rows
// in another order than that of their labels, series whose last label was the name that is dropped
// (they may have changed places by that), least or largest values that are -0 (0 is equal to
// it, and the first of equals counts). The engine then evaluates the query anew without leaves.
//
// Annotations are those of the local evaluation, each with its place in the query; where one
// summarises what it saw, leaves summarise theirs.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "promql/ast.h"
#include "promql/engine/evaluation.h"
#include "promql/engine/remote.h"
#include "promql/parser.h"

namespace aevum::promql {

// An expression that leaves evaluate, each for the series that it reads.
struct RemotePart {
  const Expr* expr = nullptr;
  std::vector<std::size_t> leaves;
  // The rows must come in ascending order of their labels.
  bool ordered = false;
  bool drops_names = false;
  bool shiftable = true;  // see Separability
  // The expression is an aggregation whose groups span leaves: this one puts the leaves' together.
  // Null when leaves give its rows themselves.
  const AggregateExpr* merge = nullptr;
};

// The parts of one query that leaves evaluate. Borrows the tree and the distribution. Immutable but
// for the doubt, which is thread-safe.
class DistributedPlan {
 public:
  DistributedPlan(const Distribution& distribution, ParseOptions parse)
      : distribution_(distribution), parse_(parse) {}

  bool empty() const { return parts_.empty(); }
  // The part of which an expression is the whole; null when it is evaluated here.
  const RemotePart* Find(const Expr& expr) const;
  const Distribution& distribution() const { return distribution_; }
  const ParseOptions& parse() const { return parse_; }

  // Says that the answer may differ from the local one, and gives an error that ends the
  // evaluation.
  Status Doubt(std::string why);
  bool doubtful() const { return doubtful_.load(); }

  // The tree with its parts, on one line: sum by (job) (remote[a, b](rate(x[5m]))).
  std::string ToString(const Expr& root) const;

 private:
  friend class Distributor;

  const Distribution& distribution_;
  const ParseOptions parse_;
  std::unordered_map<const Expr*, RemotePart> parts_;
  std::vector<std::unique_ptr<AggregateExpr>> sums_;  // that put counts together
  std::atomic<bool> doubtful_{false};
};

// Plans a query whose durations are resolved. `own_order`: the order of the rows is part of the
// answer, which is not sorted by labels afterwards.
std::unique_ptr<DistributedPlan> Distribute(const Expr& root, bool own_order, const Grid& grid,
                                            const QueryState& state,
                                            const Distribution& distribution,
                                            const ParseOptions& parse);

}  // namespace aevum::promql
