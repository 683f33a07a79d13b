#include "promql/engine/distribute.h"

#include <algorithm>

#include <fmt/format.h>

#include "promql/engine/histogram_operators.h"
#include "promql/engine/optimizer.h"
#include "promql/engine/separability.h"
#include "promql/function_table.h"
#include "promql/printer.h"

namespace aevum::promql {
namespace {

// What the operators above need of the rows of an expression.
struct Need {
  bool order = false;        // that of a local evaluation
  bool statistics = false;   // of histograms nothing but count and sum: leaves would not know
  bool single_step = false;  // there may be no more, so that topk gives the best first
};

// What has nothing to evaluate: a bare selector, and what leaves its operand as it is.
bool IsNoOperation(const Expr& expr) {
  return expr.kind == ExprKind::kVectorSelector || expr.kind == ExprKind::kParen ||
         (expr.kind == ExprKind::kUnary && !As<UnaryExpr>(expr).negate);
}

// Whether the result depends on the order of the series. Of min and max only the sign of zero does.
bool NeedsOrder(AggregateOp op) {
  return op != AggregateOp::kCount && op != AggregateOp::kGroup && op != AggregateOp::kLimitRatio;
}

bool ChoosesSeries(AggregateOp op) {
  return op == AggregateOp::kTopk || op == AggregateOp::kBottomk || op == AggregateOp::kLimitk;
}

// Aggregations that come together exactly from those of the leaves.
bool ComesTogether(AggregateOp op) {
  return op == AggregateOp::kCount || op == AggregateOp::kGroup || op == AggregateOp::kMin ||
         op == AggregateOp::kMax || ChoosesSeries(op);
}

}  // namespace

class Distributor {
 public:
  Distributor(const Expr& root, const Grid& grid, const QueryState& state, DistributedPlan* plan)
      : known_(root, plan->distribution(), state, grid), notes_(state.notes), plan_(plan) {}

  void Visit(const Expr& expr, Need need) {
    need.single_step |= notes_.step_invariant.contains(&expr);
    if (TypeOf(expr) == ValueType::kVector && (HandOut(expr, need) || HandOutGroups(expr, need)))
      return;
    switch (expr.kind) {
      case ExprKind::kParen:
        Visit(*As<ParenExpr>(expr).expr, need);
        break;
      case ExprKind::kUnary:
        Visit(*As<UnaryExpr>(expr).expr, need);
        break;
      case ExprKind::kSubquery:
        Visit(*As<SubqueryExpr>(expr).expr, {.order = need.order, .single_step = true});
        break;
      case ExprKind::kBinary:
        if (IsTrim(As<BinaryExpr>(expr).op)) need.statistics = false;
        Visit(*As<BinaryExpr>(expr).lhs, need);
        Visit(*As<BinaryExpr>(expr).rhs, need);
        break;
      case ExprKind::kAggregate: {
        const auto& aggregate = As<AggregateExpr>(expr);
        if (aggregate.param) Visit(*aggregate.param, {.single_step = need.single_step});
        need.order |= NeedsOrder(aggregate.op);
        Visit(*aggregate.expr, need);
        break;
      }
      case ExprKind::kCall:
        VisitCall(As<Call>(expr), need);
        break;
      default:
        break;
    }
  }

 private:
  bool HandOut(const Expr& expr, const Need& need) {
    if (need.statistics || IsNoOperation(expr) || !known_.IsOfLeaves(expr)) return false;
    const Separability& known = known_.Of(expr);
    if (need.order && !known.sorted) return false;
    plan_->parts_[&expr] = {.expr = &expr,
                            .leaves = known.leaves,
                            .ordered = need.order,
                            .drops_names = known.drops_names,
                            .shiftable = known.shiftable};
    return true;
  }

  // An aggregation whose groups span leaves: they aggregate, and so does this querier.
  bool HandOutGroups(const Expr& expr, const Need& need) {
    if (need.statistics || expr.kind != ExprKind::kAggregate) return false;
    const auto& aggregate = As<AggregateExpr>(expr);
    const Separability& argument = known_.Of(*aggregate.expr);
    if (!ComesTogether(aggregate.op) || !known_.IsOfLeaves(*aggregate.expr)) return false;
    if (aggregate.param && known_.Of(*aggregate.param).reads) return false;
    const bool chooses = ChoosesSeries(aggregate.op);
    if (chooses && !argument.sorted) return false;
    // Groups come in the order of their first series, which leaves may not have chosen.
    const bool one_group = aggregate.grouping.empty() && !aggregate.without;
    if (need.order && !(chooses && (one_group || !need.single_step))) return false;
    plan_->parts_[&expr] = {
        .expr = &expr,
        .leaves = argument.leaves,
        .ordered = chooses,
        .drops_names = argument.drops_names,
        .shiftable = known_.Of(expr).shiftable,
        .merge = aggregate.op == AggregateOp::kCount ? SumOf(aggregate) : &aggregate};
    return true;
  }

  const AggregateExpr* SumOf(const AggregateExpr& count) {
    auto sum = std::make_unique<AggregateExpr>();
    sum->op = AggregateOp::kSum;
    sum->grouping = count.grouping;
    sum->without = count.without;
    sum->range = count.range;
    sum->expr = std::make_unique<NumberLiteral>();  // stands for the counts, which are no node
    plan_->sums_.push_back(std::move(sum));
    return plan_->sums_.back().get();
  }

  void VisitCall(const Call& call, Need need) {
    const std::string_view name = call.function->name;
    Need of_argument = need;
    if (name == "histogram_count" || name == "histogram_sum" || name == "histogram_avg") {
      of_argument.statistics = true;
    } else if (name.starts_with("histogram_quantile") || name == "histogram_fraction") {
      of_argument = {.order = true, .single_step = need.single_step};
    } else if (name.starts_with("sort") || name == "info") {
      of_argument.order = true;
    } else if (name == "absent" || name == "scalar") {
      of_argument.order = false;
    }
    for (const ExprPtr& arg : call.args)
      Visit(*arg, TypeOf(*arg) == ValueType::kScalar ? Need{.single_step = need.single_step}
                                                     : of_argument);
  }

  SeparabilityMap known_;
  const PlanNotes& notes_;
  DistributedPlan* const plan_;
};

const RemotePart* DistributedPlan::Find(const Expr& expr) const {
  const auto it = parts_.find(&expr);
  return it == parts_.end() ? nullptr : &it->second;
}

Status DistributedPlan::Doubt(std::string why) {
  doubtful_ = true;
  return MakeError(StatusCode::kAborted, std::move(why));
}

std::string DistributedPlan::ToString(const Expr& expr) const {
  if (const RemotePart* part = Find(expr)) {
    std::vector<std::string> names;
    for (const std::size_t leaf : part->leaves)
      names.push_back(distribution_.leaves[leaf].engine->name());
    const std::string remote =
        fmt::format("remote[{}]({})", fmt::join(names, ", "), promql::ToString(*part->expr));
    if (part->merge == nullptr) return remote;
    const std::string param =
        part->merge->param ? promql::ToString(*part->merge->param) + ", " : "";
    return fmt::format("{}({}{})", ShortString(*part->merge), param, remote);
  }
  switch (expr.kind) {
    case ExprKind::kParen:
      return "(" + ToString(*As<ParenExpr>(expr).expr) + ")";
    case ExprKind::kUnary:
      return ShortString(expr) + ToString(*As<UnaryExpr>(expr).expr);
    case ExprKind::kSubquery:
      return ToString(*As<SubqueryExpr>(expr).expr) + ShortString(expr);
    case ExprKind::kBinary:
      return fmt::format("{} {} {}", ToString(*As<BinaryExpr>(expr).lhs), ShortString(expr),
                         ToString(*As<BinaryExpr>(expr).rhs));
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      const std::string param = aggregate.param ? ToString(*aggregate.param) + ", " : "";
      return fmt::format("{}({}{})", ShortString(expr), param, ToString(*aggregate.expr));
    }
    case ExprKind::kCall: {
      std::vector<std::string> args;
      for (const ExprPtr& arg : As<Call>(expr).args) args.push_back(ToString(*arg));
      return fmt::format("{}({})", ShortString(expr), fmt::join(args, ", "));
    }
    default:
      return promql::ToString(expr);
  }
}

std::unique_ptr<DistributedPlan> Distribute(const Expr& root, bool own_order, const Grid& grid,
                                            const QueryState& state,
                                            const Distribution& distribution,
                                            const ParseOptions& parse) {
  auto plan = std::make_unique<DistributedPlan>(distribution, parse);
  Distributor distributor(root, grid, state, plan.get());
  distributor.Visit(root, {.order = own_order, .single_step = grid.steps == 1});
  return plan;
}

}  // namespace aevum::promql
