#include <cmath>
#include <map>
#include <set>

#include "model/elementary_functions.h"
#include "slow_parts.h"

namespace aevum::promql::differential {
namespace {

bool HasLabel(const std::vector<std::string>& names, std::string_view name) {
  for (const std::string& one : names)
    if (one == name) return true;
  return false;
}

// The labels by which the sides are matched.
model::Labels SignatureOf(const model::Labels& labels, const VectorMatching& matching) {
  std::vector<model::Label> kept;
  for (const model::Label label : labels) {
    const bool named = HasLabel(matching.labels, label.name);
    if (matching.on ? named : !named && label.name != model::kMetricName) kept.push_back(label);
  }
  return model::Labels::FromUnsorted(std::move(kept));
}

Vector SetOperation(const BinaryExpr& expr, const Vector& left, const Vector& right,
                    std::size_t left_series) {
  std::set<model::Labels> in_left;
  std::set<model::Labels> in_right;
  for (const Sample& sample : left) in_left.insert(SignatureOf(sample.labels, *expr.matching));
  for (const Sample& sample : right) in_right.insert(SignatureOf(sample.labels, *expr.matching));
  Vector result;
  for (const Sample& sample : left) {
    const bool matched = in_right.contains(SignatureOf(sample.labels, *expr.matching));
    if (expr.op == BinaryOp::kOr || matched == (expr.op == BinaryOp::kAnd))
      result.push_back(sample);
  }
  if (expr.op != BinaryOp::kOr) return result;
  for (const Sample& sample : right) {
    if (in_left.contains(SignatureOf(sample.labels, *expr.matching))) continue;
    result.push_back({sample.labels, sample.value, left_series + sample.rank});
  }
  return result;
}

// Arithmetic and comparisons at one step: each sample of the side of many with its one partner.
class Matching {
 public:
  Matching(const BinaryExpr& expr, const Vector& left, const Vector& right)
      : expr_(expr),
        matching_(*expr.matching),
        swapped_(matching_.card == Cardinality::kOneToMany),
        many_(swapped_ ? right : left),
        one_(swapped_ ? left : right) {}

  // `many_series`: of the side of many; filled partners stand behind them.
  StatusOr<Vector> Evaluate(std::size_t many_series) {
    const bool fills = matching_.fill_lhs || matching_.fill_rhs;
    if ((many_.empty() || one_.empty()) && !fills) return result_;
    std::map<model::Labels, Sample> partners;
    for (const Sample& sample : one_) {
      if (!partners.emplace(SignatureOf(sample.labels, matching_), sample).second)
        return MakeError(StatusCode::kFailedPrecondition, "found duplicate series on one side");
    }
    for (const Sample& sample : many_) {
      const model::Labels signature = SignatureOf(sample.labels, matching_);
      const auto partner = partners.find(signature);
      if (partner != partners.end()) {
        RETURN_IF_ERROR(Pair(signature, sample, partner->second, sample.rank));
      } else if (matching_.fill_rhs) {
        RETURN_IF_ERROR(Pair(signature, sample, {signature, *matching_.fill_rhs, 0}, sample.rank));
      }
    }
    if (!matching_.fill_lhs) return result_;
    for (const Sample& sample : one_) {
      const model::Labels signature = SignatureOf(sample.labels, matching_);
      if (results_.contains(signature)) continue;
      RETURN_IF_ERROR(
          Pair(signature, {signature, *matching_.fill_lhs, 0}, sample, many_series + sample.rank));
    }
    return result_;
  }

 private:
  Status Pair(const model::Labels& signature, const Sample& many, const Sample& one,
              std::size_t rank) {
    const double a = swapped_ ? one.value : many.value;
    const double b = swapped_ ? many.value : one.value;
    double value = OperateOnNumbers(expr_.op, a, b);
    const model::Labels labels = ResultLabels(many.labels, one.labels);
    std::set<model::Labels>& results = results_[signature];
    if (matching_.card == Cardinality::kOneToOne && !results.empty())
      return MakeError(StatusCode::kFailedPrecondition, "many-to-one matching must be explicit");
    if (!results.insert(labels).second)
      return MakeError(StatusCode::kFailedPrecondition, "labels must ensure unique matches");
    if (IsComparison(expr_.op) && !expr_.return_bool) {
      if (value == 0) return OkStatus();
      value = a;
    }
    result_.push_back({labels, value, rank});
    return OkStatus();
  }

  model::Labels ResultLabels(const model::Labels& many, const model::Labels& one) const {
    std::vector<model::Label> labels;
    for (const model::Label label : many) {
      if (label.name == model::kMetricName && DropsName(expr_)) continue;
      if (matching_.card == Cardinality::kOneToOne &&
          HasLabel(matching_.labels, label.name) != matching_.on)
        continue;
      if (HasLabel(matching_.include, label.name)) continue;
      labels.push_back(label);
    }
    for (const std::string& name : matching_.include) {
      if (one.Has(name)) labels.push_back({name, one.Get(name)});
    }
    return model::Labels::FromUnsorted(std::move(labels));
  }

  const BinaryExpr& expr_;
  const VectorMatching& matching_;
  const bool swapped_;
  const Vector& many_;
  const Vector& one_;
  Vector result_;
  std::map<model::Labels, std::set<model::Labels>> results_;  // by signature
};

}  // namespace

double OperateOnNumbers(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kDiv:
      return a / b;
    case BinaryOp::kMod:
      return std::fmod(a, b);
    case BinaryOp::kPow:
      return model::Pow(a, b);
    case BinaryOp::kAtan2:
      return model::Atan2(a, b);
    case BinaryOp::kEqual:
      return a == b ? 1 : 0;
    case BinaryOp::kNotEqual:
      return a != b ? 1 : 0;
    case BinaryOp::kGreater:
      return a > b ? 1 : 0;
    case BinaryOp::kLess:
      return a < b ? 1 : 0;
    case BinaryOp::kGreaterEqual:
      return a >= b ? 1 : 0;
    case BinaryOp::kLessEqual:
      return a <= b ? 1 : 0;
    default:
      return 0;
  }
}

bool DropsName(const BinaryExpr& expr) { return !IsComparison(expr.op) || expr.return_bool; }

StatusOr<Vector> OperateOnVectors(const BinaryExpr& expr, const Vector& left, const Vector& right,
                                  std::size_t left_series, std::size_t right_series) {
  if (IsSetOperator(expr.op)) return SetOperation(expr, left, right, left_series);
  const bool swapped = expr.matching->card == Cardinality::kOneToMany;
  return Matching(expr, left, right).Evaluate(swapped ? right_series : left_series);
}

}  // namespace aevum::promql::differential
