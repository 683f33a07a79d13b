#include "promql/engine/separability.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "promql/engine/elementwise.h"
#include "promql/engine/extension.h"
#include "promql/engine/histogram_calls.h"
#include "promql/engine/histogram_operators.h"
#include "promql/engine/optimizer.h"
#include "promql/engine/planner.h"
#include "promql/engine/range_function.h"
#include "promql/engine/remote_text.h"
#include "promql/engine/start_times.h"
#include "promql/engine/x_functions.h"
#include "promql/function_table.h"
#include "promql/functions/row_functions.h"

namespace aevum::promql {
namespace {

using Names = std::vector<std::string>;

Names Sorted(Names names) {
  std::sort(names.begin(), names.end());
  return names;
}

template <typename T>
std::vector<T> Both(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> out;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

template <typename T>
std::vector<T> Either(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<T> out;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

Names Minus(const Names& a, const Names& b) {
  Names out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

// What a grouping or matching by (on) or without (ignoring) some labels leaves.
std::optional<Names> Grouped(std::optional<Names> kept, const Names& labels, bool only) {
  if (!kept) return kept;
  return only ? Both(*kept, Sorted(labels)) : Minus(*kept, Sorted(labels));
}

std::optional<Names> BothKept(const std::optional<Names>& a, const std::optional<Names>& b) {
  if (!a) return b;
  if (!b) return a;
  return Both(*a, *b);
}

// Takes over what is said of all series and times of a part.
void Join(const Separability& part, Separability* whole) {
  whole->leaves = Either(whole->leaves, part.leaves);
  whole->reads |= part.reads;
  whole->local |= part.local;
  whole->separable &= part.separable;
  whole->shiftable &= part.shiftable;
}

// A parameter is the same for all leaves only when it does not come from series.
void JoinParameter(const Separability& parameter, Separability* whole) {
  Join(parameter, whole);
  whole->separable &= !parameter.reads;
}

// The text of a literal argument.
std::string TextOf(const Expr& expr) { return As<StringLiteral>(WithoutParens(expr)).value; }

bool IsOfValues(const promql::Call& call) {
  const std::string_view name = call.function->name;
  return (functions::FindRowFunction(name) != nullptr && !call.args.empty()) || name == "round" ||
         name == "clamp" || name == "clamp_min" || name == "clamp_max" || name == "timestamp" ||
         IsHistogramCall(name);
}

bool IsOfBuckets(std::string_view name) {
  return name == "histogram_quantile" || name == "histogram_fraction" ||
         name == "histogram_quantiles";
}

// Whether start timestamps are looked at where the engine uses them.
bool NeedsStarts(std::string_view name) {
  const std::optional<RangeFunction> function = FindRangeFunction(name);
  return name == "start_timestamp" || (function && UsesStarts(*function));
}

// Whether the time of the step itself is looked at.
bool LooksAtTheStep(const promql::Call& call) {
  const std::string_view name = call.function->name;
  if (name == "time" || name == "predict_linear") return true;
  if (name == "timestamp") return WithoutParens(*call.args[0]).kind != ExprKind::kVectorSelector;
  return call.args.empty() && functions::FindRowFunction(name) != nullptr;
}

}  // namespace

SeparabilityMap::SeparabilityMap(const Expr& root, const Distribution& distribution,
                                 const QueryState& state, const Grid& grid)
    : distribution_(distribution), state_(state), grid_(grid) {
  const Names replicas = Sorted(distribution.replica_labels);
  const Names partitions = Sorted(distribution.partition_labels);
  for (const Leaf& leaf : distribution.leaves) {
    std::optional<Names> shared;
    for (const model::Labels& labels : leaf.label_sets) {
      Names names;
      for (const model::Label label : labels) names.emplace_back(label.name);
      names = Minus(Sorted(std::move(names)), replicas);
      if (!partitions.empty()) names = Both(names, partitions);
      shared = shared ? Both(*shared, names) : std::move(names);
    }
    leaf_labels_.push_back(shared.value_or(Names{}));
  }
  Analyse(root, {grid.start, grid.Last()});
}

bool SeparabilityMap::IsOfLeaves(const Expr& expr) {
  const Separability& known = Of(expr);
  if (!known.reads || known.local || known.leaves.empty()) return false;
  return known.leaves.size() == 1 || (known.separable && Disjoint(known.leaves, known.kept));
}

const Separability& SeparabilityMap::Analyse(const Expr& expr, Span span) {
  const int invariant = state_.notes.step_invariant.contains(&expr) ? 1 : 0;
  single_steps_ += invariant;
  Separability result = NodeOf(expr, span);
  single_steps_ -= invariant;
  return known_[&expr] = std::move(result);
}

Separability SeparabilityMap::NodeOf(const Expr& expr, Span span) {
  Separability result;
  switch (expr.kind) {
    case ExprKind::kVectorSelector:
      result = Selector(As<VectorSelector>(expr), state_.lookback_ms, span);
      break;
    case ExprKind::kMatrixSelector: {
      const auto& matrix = As<MatrixSelector>(expr);
      result = Selector(*matrix.selector, matrix.range_ms, span);
      break;
    }
    case ExprKind::kSubquery:
      result = Subquery(As<SubqueryExpr>(expr), span);
      break;
    case ExprKind::kParen:
      result = Analyse(*As<ParenExpr>(expr).expr, span);
      break;
    case ExprKind::kUnary: {
      const auto& unary = As<UnaryExpr>(expr);
      result = Analyse(*unary.expr, span);
      if (!unary.negate) break;
      result.sorted = StaysSorted(result, *unary.expr);
      result.drops_names = true;
      break;
    }
    case ExprKind::kCall:
      result = Call(As<promql::Call>(expr), span);
      break;
    case ExprKind::kAggregate:
      result = Aggregate(As<AggregateExpr>(expr), span);
      break;
    case ExprKind::kBinary:
      result = Binary(As<BinaryExpr>(expr), span);
      break;
    default:
      result.kept = Names{};
  }
  return result;
}

bool SeparabilityMap::StaysSorted(const Separability& known, const Expr& expr) const {
  // Types and units go with the names, and may differ where those do not.
  return known.sorted && !state_.reads_types && Planner::UniqueWithoutName(expr);
}

SeparabilityMap::Span SeparabilityMap::Applied(const TimeModifiers& time, Span span) const {
  if (time.at) span = {*time.at, *time.at};
  if (time.at_edge == AtEdge::kStart) span = {state_.query_start, state_.query_start};
  if (time.at_edge == AtEdge::kEnd) span = {state_.query_end, state_.query_end};
  return {Moved(span.first, -time.offset_ms), Moved(span.last, -time.offset_ms)};
}

Separability SeparabilityMap::Selector(const VectorSelector& selector, std::int64_t back_ms,
                                       Span span) {
  span = Applied(selector.time, span);
  const Extension extension = ExtensionOf(selector, state_.lookback_ms);
  span.first = Moved(span.first, -back_ms - extension.back_ms());
  span.last = Moved(span.last, extension.ahead_ms());
  const model::Matchers matchers = WithEnforced(distribution_.enforced, selector.matchers);
  Separability result{.reads = true};
  result.local = distribution_.local_may_hold(matchers, span.first, span.last);
  for (std::size_t i = 0; i < distribution_.leaves.size(); ++i) {
    const Leaf& leaf = distribution_.leaves[i];
    if (!leaf.may_hold(matchers, span.first, span.last)) continue;
    result.leaves.push_back(i);
    result.local |= leaf.label_sets.empty();
  }
  result.sorted = true;
  if (!result.leaves.empty()) result.kept = SharedLabels(result.leaves);
  if (distribution_.overlapping_intervals) ChooseCovering(span, &result);
  return result;
}

void SeparabilityMap::ChooseCovering(Span span, Separability* result) {
  if (result->leaves.empty() || Disjoint(result->leaves, result->kept)) return;
  std::set<model::Labels> all;
  for (const std::size_t leaf : result->leaves) {
    for (model::Labels& labels : Projection(leaf, *result->kept)) all.insert(std::move(labels));
  }
  for (const std::size_t i : result->leaves) {
    const Leaf& leaf = distribution_.leaves[i];
    if (leaf.min_time > span.first || leaf.max_time < span.last) continue;
    const std::vector<model::Labels> own = Projection(i, *result->kept);
    if (std::set<model::Labels>(own.begin(), own.end()) != all) continue;
    result->leaves = {i};
    result->kept = SharedLabels(result->leaves);
    return;
  }
}

Separability SeparabilityMap::Subquery(const SubqueryExpr& subquery, Span span) {
  span = Applied(subquery.time, span);
  span.first = Moved(span.first, -subquery.range_ms);
  ++single_steps_;
  Separability result = Analyse(*subquery.expr, span);
  --single_steps_;
  // Its steps are multiples of its own, whatever those of the query are.
  result.shiftable = true;
  return result;
}

Separability SeparabilityMap::Aggregate(const AggregateExpr& expr, Span span) {
  const Separability argument = Analyse(*expr.expr, span);
  Separability result;
  Join(argument, &result);
  if (expr.param) JoinParameter(Analyse(*expr.param, span), &result);
  if (expr.op == AggregateOp::kLimitRatio) {
    result.kept = argument.kept;
    result.sorted = argument.sorted;
    result.drops_names = argument.drops_names;
    return result;
  }
  result.kept = Grouped(argument.kept, expr.grouping, !expr.without);
  if (expr.op == AggregateOp::kCountValues)
    result.kept = Grouped(result.kept, {TextOf(*expr.param)}, false);
  result.separable = result.separable && Disjoint(result.leaves, result.kept);
  if (expr.op == AggregateOp::kTopk || expr.op == AggregateOp::kBottomk ||
      expr.op == AggregateOp::kLimitk) {
    result.kept = argument.kept;
    // At a single step the best come first, and a subquery may have one step only.
    result.sorted = argument.sorted && grid_.steps > 1 && single_steps_ == 0;
    result.drops_names = argument.drops_names;
  }
  return result;
}

Separability SeparabilityMap::Binary(const BinaryExpr& expr, Span span) {
  const Separability lhs = Analyse(*expr.lhs, span);
  const Separability rhs = Analyse(*expr.rhs, span);
  if (expr.matching) return VectorBinary(expr, lhs, rhs);
  Separability result;
  if (expr.of_scalars) {
    Join(lhs, &result);
    Join(rhs, &result);
    result.kept = Names{};
    return result;
  }
  const bool left_vector = TypeOf(*expr.lhs) == ValueType::kVector;
  const Separability& vector = left_vector ? lhs : rhs;
  Join(vector, &result);
  JoinParameter(left_vector ? rhs : lhs, &result);
  result.kept = vector.kept;
  result.sorted =
      vector.sorted &&
      (KeepsName(expr) || Planner::UniqueWithoutName(left_vector ? *expr.lhs : *expr.rhs));
  result.drops_names = vector.drops_names || !KeepsName(expr);
  return result;
}

Separability SeparabilityMap::VectorBinary(const BinaryExpr& expr, const Separability& lhs,
                                           const Separability& rhs) {
  const VectorMatching& matching = *expr.matching;
  Separability result;
  Join(lhs, &result);
  Join(rhs, &result);
  const std::optional<Names> compared =
      Grouped(BothKept(lhs.kept, rhs.kept), matching.labels, matching.on);
  // A filled series stands for one that is missing, which no leaf can know of the others.
  result.separable = result.separable && Disjoint(result.leaves, compared) && !matching.fill_lhs &&
                     !matching.fill_rhs;
  if (expr.op == BinaryOp::kOr) {
    result.kept = BothKept(lhs.kept, rhs.kept);
  } else if (IsSetOperator(expr.op)) {
    result.kept = lhs.kept;
  } else if (matching.card == Cardinality::kOneToOne) {
    result.kept = compared;
  } else {
    const bool left_many = matching.card == Cardinality::kManyToOne;
    result.kept = Grouped(left_many ? lhs.kept : rhs.kept, matching.include, false);
  }
  return result;
}

Separability SeparabilityMap::Call(const promql::Call& call, Span span) {
  Separability result;
  const Expr* argument = nullptr;
  int vectors = 0;
  for (const ExprPtr& arg : call.args) {
    const Separability known = Analyse(*arg, span);
    const ValueType type = TypeOf(*arg);
    if (type == ValueType::kVector || type == ValueType::kMatrix) {
      Join(known, &result);
      argument = arg.get();
      ++vectors;
    } else {
      JoinParameter(known, &result);
    }
  }
  if (LooksAtTheStep(call)) result.shiftable = false;
  // They read more than their argument says.
  if (call.function->name == "info" || FindXFunction(call.function->name)) result.local = true;
  // A leaf may not look at start timestamps.
  if (state_.use_start_timestamps && NeedsStarts(call.function->name)) result.local = true;
  result.kept = Names{};
  if (call.function->return_type == ValueType::kScalar) return result;
  if (vectors != 1) {
    result.separable = false;
    return result;
  }
  OfOneArgument(call, *argument, &result);
  return result;
}

void SeparabilityMap::OfOneArgument(const promql::Call& call, const Expr& argument,
                                    Separability* result) {
  const std::string_view name = call.function->name;
  const Separability& known = Of(argument);
  if (const auto function = FindRangeFunction(name);
      function.has_value() && name != "absent_over_time") {
    result->kept = known.kept;
    result->drops_names = known.drops_names || !function->keeps_name;
    result->sorted = known.sorted && (function->keeps_name || Planner::UniqueWithoutName(argument));
  } else if (IsOfValues(call)) {
    result->kept = known.kept;
    result->drops_names = true;
    result->sorted = StaysSorted(known, argument);
  } else if (name == "label_replace" || name == "label_join") {
    result->kept = Grouped(known.kept, {TextOf(*call.args[1])}, false);
  } else if (IsOfBuckets(name)) {
    Names lost = {"le"};
    if (name == "histogram_quantiles") lost.push_back(TextOf(*call.args[1]));
    result->kept = Grouped(known.kept, lost, false);
    result->separable = result->separable && Disjoint(result->leaves, result->kept);
  } else {
    result->separable = false;
  }
}

std::vector<std::string> SeparabilityMap::SharedLabels(
    const std::vector<std::size_t>& leaves) const {
  Names shared = leaf_labels_[leaves.front()];
  for (const std::size_t leaf : leaves) shared = Both(shared, leaf_labels_[leaf]);
  return shared;
}

std::vector<model::Labels> SeparabilityMap::Projection(std::size_t leaf,
                                                       const std::vector<std::string>& labels) {
  std::vector<model::Labels> out;
  for (const model::Labels& set : distribution_.leaves[leaf].label_sets)
    out.push_back(model::LabelsBuilder(set).Keep(labels).Build());
  return out;
}

bool SeparabilityMap::Disjoint(const std::vector<std::size_t>& leaves, const LabelNames& labels) {
  if (leaves.size() <= 1) return true;
  if (!labels || labels->empty()) return false;
  const auto [it, is_new] = disjoint_.try_emplace({leaves, *labels}, true);
  if (!is_new) return it->second;
  std::map<model::Labels, std::size_t> owner;
  for (const std::size_t leaf : leaves) {
    for (model::Labels& projected : Projection(leaf, *labels))
      it->second &= owner.emplace(std::move(projected), leaf).first->second == leaf;
  }
  return it->second;
}

}  // namespace aevum::promql
